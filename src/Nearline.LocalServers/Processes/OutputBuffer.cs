namespace Nearline.LocalServers.Processes;

/// <summary>The last lines of a process, and those who wait for one.</summary>
internal sealed class OutputBuffer(int capacity, Action<string>? onLine)
{
    private readonly Lock _gate = new();
    private readonly Lock _callback = new();
    private readonly Queue<string> _lines = new();
    private readonly List<(Func<string, bool> Predicate, TaskCompletionSource<string> Found)> _waiters = [];
    private bool _closed;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    public async Task ReadAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                Add(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The pipe went with the process.
        }
    }

    /// <summary>The first kept or coming line that matches; null when the output ends first.</summary>
    public async Task<string?> FindAsync(Func<string, bool> predicate, CancellationToken cancellationToken)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            foreach (var line in _lines)
            {
                if (predicate(line))
                {
                    return line;
                }
            }

            if (_closed)
            {
                return null;
            }

            _waiters.Add((predicate, found));
        }

        try
        {
            return await found.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _waiters.RemoveAll(w => w.Found == found);
            }
        }
    }

    /// <summary>No more lines come.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var (_, found) in _waiters)
            {
                found.TrySetResult(null!);
            }

            _waiters.Clear();
        }
    }

    private void Add(string line)
    {
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > capacity)
            {
                _lines.Dequeue();
            }

            foreach (var (predicate, found) in _waiters)
            {
                try
                {
                    if (predicate(line))
                    {
                        found.TrySetResult(line);
                    }
                }
                catch (Exception e)
                {
                    found.TrySetException(e);
                }
            }
        }

        if (onLine is not null)
        {
            lock (_callback)
            {
                try
                {
                    onLine(line);
                }
                catch (Exception)
                {
                    // A failing observer must not stop the reading: the child would block on a full pipe.
                }
            }
        }
    }
}
