namespace Nearline.LocalServers.Processes;

/// <summary>What to start and how.</summary>
public sealed record ChildProcessOptions
{
    /// <summary>A program on the PATH, or its path.</summary>
    public required string FileName { get; init; }

    /// <summary>Arguments, one an element; no shell sees them.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables added to this process's environment; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Null: this process's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>How many of the last output lines are kept for waits and error messages.</summary>
    public int KeptLines { get; init; } = 500;

    /// <summary>
    /// Called with each line of standard output and error, from one thread at a time; it must not block for long.
    /// An exception from it is dropped.
    /// </summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>
    /// Run in a session of its own, so that Ctrl-C in the terminal reaches this process alone and it can stop the child
    /// in its own order. Needs util-linux's setsid; without it the child stays in this session.
    /// </summary>
    public bool OwnSession { get; init; }
}
