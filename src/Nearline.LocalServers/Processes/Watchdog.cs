using System.Diagnostics;

namespace Nearline.LocalServers.Processes;

/// <summary>
/// Kills a child when this process ends, however it ends: SIGKILL too, which no handler of ours would see. A shell
/// blocks on a pipe whose other end only we hold; the system closes that end with us, and the shell then kills
/// the child. (prctl's PR_SET_PDEATHSIG must be called in the child between fork and exec, out of managed code's reach.)
/// </summary>
internal sealed class Watchdog : IDisposable
{
    // Ctrl-C goes to the whole terminal session, so the shell must outlive the signals that end us.
    private const string Script = "trap '' INT TERM HUP QUIT; read -r line || kill -KILL \"$1\" 2>/dev/null";

    private readonly Process _shell;

    private Watchdog(Process shell) => _shell = shell;

    public static Watchdog Watch(int processId)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[]
        {
            "-c", Script, "nearline-watchdog", processId.ToString(System.Globalization.CultureInfo.InvariantCulture),
        })
        {
            start.ArgumentList.Add(argument);
        }

        return new Watchdog(Process.Start(start)!);
    }

    /// <summary>The child has ended: let the shell go before the system can give the child's id to another.</summary>
    public void Dispose()
    {
        try
        {
            _shell.StandardInput.Write("done\n");
            _shell.StandardInput.Dispose();
        }
        catch (IOException)
        {
            // The shell itself was killed.
        }

        _shell.Dispose();
    }
}
