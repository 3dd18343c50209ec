using System.Runtime.InteropServices;
using TorchSharp;

namespace Nearline.Model;

/// <summary>
/// Torch's CPU threads. By default they wait for each other spinning, and where another process takes one core for a
/// moment the rest burn theirs: measured on two cores beside one busy process, 2 threads trained at a tenth of the
/// speed of 1. So they sleep while they wait, and by default use half the cores.
/// </summary>
internal static class TorchThreads
{
    private static readonly Lazy<bool> Waiting = new(LetThreadsSleep);

    /// <summary>Half the cores, at least one.</summary>
    public static int Default => Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Sets the process's number; call it before anything else of torch.</summary>
    /// <param name="count">From one; null: <see cref="Default"/>.</param>
    public static void Use(int? count)
    {
        _ = Waiting.Value;
        torch.set_num_threads(count ?? Default);
    }

    /// <summary>
    /// OpenMP reads its settings when its library is loaded, which torch's first use does, from the process's own
    /// environment: .NET's copy of it would not be seen. What the operator set stays.
    /// </summary>
    private static bool LetThreadsSleep() =>
        OperatingSystem.IsLinux() && SetVariable("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0) == 0;

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
