using System.Runtime.InteropServices;

namespace Nearline.LocalServers.Processes;

internal static partial class Signals
{
    internal const int Kill = 9;
    internal const int Term = 15;

    /// <summary>SIGCONT and SIGSTOP have other numbers on macOS.</summary>
    internal static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;
    internal static readonly int Stop = OperatingSystem.IsMacOS() ? 17 : 19;

    internal static void Send(int processId, int signal)
    {
        const int NoSuchProcess = 3;
        if (kill(processId, signal) != 0 && Marshal.GetLastPInvokeError() is var error && error != NoSuchProcess)
        {
            throw new InvalidOperationException(
                $"Signal {signal} to process {processId} failed: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int processId, int signal);
}
