using Microsoft.Extensions.Options;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Gathers micro-batches. While the model is free a batch is what waits; while it is busy a batch takes what comes, up to
/// the limits and to the deadline after its first record's arrival. So an event alone waits for nothing, and under load
/// batches grow by themselves.
/// </summary>
internal sealed class BatchGatherer(
    RecordBuffer buffer, DueSets due, WorkReader reader, IOptions<WorkerOptions> options, TimeProvider clock)
{
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
            if (due.TryTake(out var item) || buffer.TryTake(out var record) && (item = reader.Read(record)) is not null)
            {
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
                await Task.WhenAny(WaitForRecord(stopping), WaitForDue(stopping)).ConfigureAwait(false);
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
