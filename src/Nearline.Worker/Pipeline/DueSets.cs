using System.Diagnostics.CodeAnalysis;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Users whose sets are older than their states and are to be made in a moment. Each has a record that is held back from
/// commit meanwhile, so a crash or a rebalance brings the record again, whose user's state then tells that sets are due:
/// nothing of this queue need be stored. Thread-safe.
/// </summary>
internal sealed class DueSets(TimeProvider clock)
{
    /// <summary>More users than this do not wait: their sets are made at once.</summary>
    private const int Capacity = 100_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly PriorityQueue<Entry, long> order = new();
    private TaskCompletionSource sooner = New();

    public int Count
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    public bool HasRoom => Count < Capacity;

    /// <summary>Puts a user in, or anew. The record that reminds of the user is held from now on.</summary>
    public void Add(string userId, LeasedRecord reminder, DateTimeOffset due)
    {
        reminder.Lease.Hold(reminder.Record.Offset);
        var left = due - clock.GetUtcNow();
        var at = clock.GetTimestamp() + (long)(Math.Max(0, left.TotalSeconds) * clock.TimestampFrequency);
        lock (gate)
        {
            Remove(userId);
            var entry = new Entry(userId, reminder.WithoutContent());
            entries.Add(userId, entry);
            var isSoonest = !order.TryPeek(out _, out var first) || at < first;
            order.Enqueue(entry, at);
            if (isSoonest)
            {
                sooner.TrySetResult();
            }
        }
    }

    /// <summary>The user's sets are made: nothing waits any more.</summary>
    public void Settle(string userId)
    {
        lock (gate)
        {
            Remove(userId);
        }
    }

    /// <summary>Takes out a user who is due. The record stays held until it is let go.</summary>
    public bool TryTake([NotNullWhen(true)] out WorkItem? item)
    {
        lock (gate)
        {
            while (order.TryPeek(out var entry, out var at))
            {
                var isGone = entry.IsSettled || entry.Reminder.Lease.IsRevoked;
                if (!isGone && at > clock.GetTimestamp())
                {
                    break;
                }

                order.Dequeue();
                if (!entry.IsSettled)
                {
                    entry.IsSettled = true;
                    entries.Remove(entry.UserId);
                }

                if (!isGone)
                {
                    item = WorkItem.Due(entry.Reminder, entry.UserId);
                    return true;
                }
            }
        }

        item = null;
        return false;
    }

    /// <summary>Completes when the next user is due.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task change;
            TimeSpan left;
            lock (gate)
            {
                var isAny = order.TryPeek(out _, out var at);
                left = isAny ? clock.GetElapsedTime(clock.GetTimestamp(), at) : Timeout.InfiniteTimeSpan;
                if (isAny && left <= TimeSpan.Zero)
                {
                    return;
                }

                change = (sooner = sooner.Task.IsCompleted ? New() : sooner).Task;
            }

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(change, Task.Delay(left, clock, ended.Token)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            await ended.CancelAsync().ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Remove(string userId)
    {
        if (entries.Remove(userId, out var entry))
        {
            entry.IsSettled = true;
            entry.Reminder.Lease.LetGo(entry.Reminder.Record.Offset);
        }
    }

    private sealed class Entry(string userId, LeasedRecord reminder)
    {
        public string UserId => userId;

        public LeasedRecord Reminder => reminder;

        /// <summary>Whether it only waits to be taken out of the order.</summary>
        public bool IsSettled { get; set; }
    }
}
