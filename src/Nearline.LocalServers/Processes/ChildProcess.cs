using System.ComponentModel;
using System.Diagnostics;

namespace Nearline.LocalServers.Processes;

/// <summary>
/// A child process with its last output lines, signals, and an end that is tied to ours: it is killed when disposed
/// and when this process ends in any way, SIGKILL included. Linux and macOS.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly OutputBuffer _output;
    private readonly Watchdog _watchdog;
    private readonly Task<int> _exited;
    private readonly string _name;
    private int _disposed;

    private ChildProcess(Process process, OutputBuffer output, Watchdog watchdog, string name)
    {
        _process = process;
        _output = output;
        _watchdog = watchdog;
        _name = name;
        Id = process.Id;
        _exited = RunAsync();
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _exited.IsCompleted || _process.HasExited;

    /// <summary>Its last output lines (standard output and error, in order of arrival).</summary>
    public IReadOnlyList<string> LastLines => _output.Lines;

    /// <summary>Starts a process.</summary>
    /// <exception cref="ChildProcessException">The program is not there or may not be run.</exception>
    public static ChildProcess Start(ChildProcessOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.KeptLines < 1)
        {
            throw new ArgumentException($"KeptLines is {options.KeptLines}; at least 1 is needed.", nameof(options));
        }

        var setsid = options.OwnSession ? Programs.Find("setsid") : null;
        var start = new ProcessStartInfo(setsid ?? options.FileName)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = options.WorkingDirectory ?? "",
        };
        if (setsid is not null)
        {
            // setsid executes the program in its own place, so the process id stays; a missing program would show
            // only as setsid's exit.
            start.ArgumentList.Add(
                Programs.Find(options.FileName)
                ?? throw new ChildProcessException($"'{options.FileName}' is not a program on the PATH."));
        }

        foreach (var argument in options.Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ChildProcessException($"'{options.FileName}' did not start: {e.Message}", e);
        }

        process.StandardInput.Close();
        return new ChildProcess(
            process,
            new OutputBuffer(options.KeptLines, options.OnLine),
            Watchdog.Watch(process.Id),
            Path.GetFileName(options.FileName));
    }

    /// <summary>
    /// Waits for a line of output that matches, among the kept lines first. The predicate is called from the reading
    /// thread and must be quick.
    /// </summary>
    /// <exception cref="TimeoutException">No such line in time.</exception>
    /// <exception cref="ChildProcessException">The process ended without such a line.</exception>
    public async Task<string> WaitForLineAsync(
        Func<string, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            return await _output.FindAsync(predicate, deadline.Token).ConfigureAwait(false)
                ?? throw await UnexpectedExitAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"{_name} (process {Id}) printed no matching line within {timeout.TotalSeconds:0.###} s.{Tail()}", e);
        }
    }

    /// <summary>Waits for the end of the process and of its output.</summary>
    /// <returns>The exit code; 128 + n after signal n.</returns>
    public Task<int> WaitForExitAsync(CancellationToken cancellationToken = default) =>
        _exited.WaitAsync(cancellationToken);

    /// <summary>Describes an exit that should not have happened yet; waits for it.</summary>
    public async Task<ChildProcessException> UnexpectedExitAsync()
    {
        var code = await _exited.ConfigureAwait(false);
        return new ChildProcessException($"{_name} (process {Id}) ended with exit code {code}.{Tail()}");
    }

    /// <summary>Sends SIGTERM: please stop.</summary>
    public void Terminate() => Signal(Signals.Term);

    /// <summary>Sends SIGKILL to this process alone: ended at once, with no chance to clean up.</summary>
    public void Kill() => Signal(Signals.Kill);

    /// <summary>Sends SIGSTOP: it stands still, its connections stay open, until <see cref="Resume"/>.</summary>
    public void Suspend() => Signal(Signals.Stop);

    /// <summary>Sends SIGCONT: it goes on where it was suspended.</summary>
    public void Resume() => Signal(Signals.Continue);

    /// <summary>SIGTERM, then SIGKILL (to its children too) if it is still there after the grace period.</summary>
    /// <returns>The exit code; 128 + n after signal n.</returns>
    public async Task<int> StopAsync(TimeSpan grace, CancellationToken cancellationToken = default)
    {
        Terminate();
        try
        {
            return await _exited.WaitAsync(grace, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            KillTree();
            return await _exited.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>SIGKILL to the process and all its descendants.</summary>
    public void KillTree()
    {
        if (!HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Kills the process and its descendants if they still run, and waits for the end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        KillTree();
        await _exited.ConfigureAwait(false);
        _process.Dispose();
    }

    private async Task<int> RunAsync()
    {
        var reading = Task.WhenAll(
            _output.ReadAsync(_process.StandardOutput), _output.ReadAsync(_process.StandardError));
        await _process.WaitForExitAsync().ConfigureAwait(false);
        _watchdog.Dispose();
        // A descendant that outlives the process may hold its pipes open; do not wait for that one's end.
        await Task.WhenAny(reading, Task.Delay(OutputGrace)).ConfigureAwait(false);
        _output.Close();
        return _process.ExitCode;
    }

    private void Signal(int signal)
    {
        if (!HasExited)
        {
            Signals.Send(Id, signal);
        }
    }

    private string Tail()
    {
        var lines = LastLines;
        return lines.Count == 0
            ? " It printed nothing."
            : $" Its last output:\n{string.Join('\n', lines.Skip(Math.Max(0, lines.Count - 20)).Select(l => "  " + l))}";
    }
}
