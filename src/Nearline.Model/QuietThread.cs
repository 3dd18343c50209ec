using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Nearline.Model;

/// <summary>
/// Runs long work beside what serves: on a thread of its own that gives way to others, so that loading a model and
/// building its index do not take the cores from users' queries.
/// </summary>
/// <remarks>
/// What runs here must not use the thread pool: a thread that the pool starts meanwhile would inherit the low priority
/// and keep it.
/// </remarks>
internal static class QuietThread
{
    /// <summary>
    /// Linux: a tenth of what a thread of usual priority gets where both want the same core. Not less: a collection waits
    /// for every thread to stop, and one that is never scheduled does not.
    /// </summary>
    private const int Niceness = 10;

    /// <summary>Runs the function and waits for it; what it throws is thrown here.</summary>
    public static T Run<T>(Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            GiveWay();
            try
            {
                result = function();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        {
            IsBackground = true,
            Name = "quiet",
            Priority = ThreadPriority.BelowNormal,
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>
    /// Linux has no priorities within a process that .NET could set, but a niceness for each thread: process 0 names the
    /// calling one. Where that is refused the work runs at the usual priority.
    /// </summary>
    private static void GiveWay()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(0, 0, Niceness);
        }
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int priority);
}
