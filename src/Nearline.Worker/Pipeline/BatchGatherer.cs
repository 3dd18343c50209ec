using Microsoft.Extensions.Options;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Gathers micro-batches. While the model is free a batch is what waits; while it is busy a batch takes what comes, up to
/// the limits and to the deadline after its first record's arrival. So an event alone waits for nothing, and under load
/// batches grow by themselves. Requests of backfills make small batches of their own, when nothing else waits and the
/// model is free.
/// </summary>
internal sealed class BatchGatherer(
    RecordBuffer buffer, DueSets due, SetAside aside, WorkReader reader, IOptions<WorkerOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan PlanPause = TimeSpan.FromMilliseconds(100);

    private readonly WorkerOptions limits = options.Value;
    private Task? waiting;
    private Task? waitingForDue;

    /// <summary>The next batch, never empty, in the order of consumption.</summary>
    /// <param name="busy">Ends when the model is free for it.</param>
    /// <param name="stopping">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The worker stops.</exception>
    public async Task<List<WorkItem>> NextAsync(Task busy, CancellationToken stopping)
    {
        var items = new List<WorkItem>();
        var users = new HashSet<string>(StringComparer.Ordinal);
        var firstReceivedAt = 0L;
        while (items.Count < limits.BatchMaxEvents && users.Count < limits.BatchMaxUsers)
        {
            if (TryTake(out var item))
            {
                if (item is null)
                {
                    continue;
                }

                if (items.Count == 0)
                {
                    firstReceivedAt = item.IsReminder ? clock.GetTimestamp() : item.Source.ReceivedAt;
                }

                items.Add(item);
                if (item.UserId is { } userId)
                {
                    users.Add(userId);
                }
            }
            else if (items.Count == 0)
            {
                if (busy.IsCompleted && TakeAside(items))
                {
                    break;
                }

                // With requests set aside that cannot be taken yet it looks again after a while, or when the model is free.
                var other = aside.IsEmpty ? WaitForDue(stopping) : busy.IsCompleted ? Task.Delay(PlanPause, clock, stopping) : busy;
                await Task.WhenAny(WaitForRecord(stopping), WaitForDue(stopping), other).ConfigureAwait(false);
                stopping.ThrowIfCancellationRequested();
            }
            else
            {
                var left = limits.BatchDeadline - clock.GetElapsedTime(firstReceivedAt);
                if (left <= TimeSpan.Zero || busy.IsCompleted)
                {
                    break;
                }

                await Task.WhenAny(WaitForRecord(stopping), Task.Delay(left, clock, stopping), busy).ConfigureAwait(false);
                stopping.ThrowIfCancellationRequested();
            }
        }

        return items;
    }

    /// <summary>Takes what is next; null for a request that was set aside. False when nothing waits.</summary>
    private bool TryTake(out WorkItem? item)
    {
        if (due.TryTake(out item))
        {
            return true;
        }

        if (!buffer.TryTake(out var record))
        {
            return false;
        }

        var read = reader.Read(record);
        item = aside.TryAdd(read) ? null : read;
        return true;
    }

    private bool TakeAside(List<WorkItem> items)
    {
        while (items.Count < limits.BackfillBatch && aside.TryTake(out var item))
        {
            items.Add(item);
        }

        return items.Count > 0;
    }

    /// <summary>One pending wait at a time: the buffer has a single reader.</summary>
    private Task WaitForRecord(CancellationToken stopping)
    {
        if (waiting is null || waiting.IsCompleted)
        {
            waiting = buffer.WaitAsync(stopping);
        }

        return waiting;
    }

    private Task WaitForDue(CancellationToken stopping)
    {
        if (waitingForDue is null || waitingForDue.IsCompleted)
        {
            waitingForDue = due.WaitAsync(stopping);
        }

        return waitingForDue;
    }
}
