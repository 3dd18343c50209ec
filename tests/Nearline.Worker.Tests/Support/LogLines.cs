using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Nearline.Worker.Tests.Support;

/// <summary>What a worker logs, as <c>Warning: text</c>; debug lines too.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<string> lines = new();

    /// <summary>All lines so far.</summary>
    public IReadOnlyList<string> All => [.. lines];

    /// <summary>Warnings and errors that have the text.</summary>
    public IReadOnlyList<string> Warnings(string text = "") => [.. lines.Where(l =>
        (l.StartsWith("Warning", StringComparison.Ordinal) || l.StartsWith("Error", StringComparison.Ordinal)) && l.Contains(text, StringComparison.Ordinal))];

    /// <summary>Lines for information that have the text.</summary>
    public IReadOnlyList<string> Information(string text) =>
        [.. lines.Where(l => l.StartsWith("Information", StringComparison.Ordinal) && l.Contains(text, StringComparison.Ordinal))];

    public ILogger CreateLogger(string categoryName) => new Recorder(lines);

    public void Dispose()
    {
    }

    private sealed class Recorder(ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
