using Microsoft.Extensions.Options;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Gathers micro-batches: as much as waits, up to the limits, and otherwise whatever comes until the deadline after
/// the first record's arrival. Under load batches grow and nobody waits for a deadline.
/// </summary>
internal sealed class BatchGatherer(
    RecordBuffer buffer, WorkReader reader, IOptions<WorkerOptions> options, TimeProvider clock)
{
    private readonly WorkerOptions limits = options.Value;
    private Task? waiting;

    /// <summary>The next batch, never empty, in the order of consumption.</summary>
    /// <exception cref="OperationCanceledException">The worker stops.</exception>
    public async Task<List<WorkItem>> NextAsync(CancellationToken stopping)
    {
        var items = new List<WorkItem>();
        var users = new HashSet<string>(StringComparer.Ordinal);
        var firstReceivedAt = 0L;
        while (items.Count < limits.BatchMaxEvents && users.Count < limits.BatchMaxUsers)
        {
            if (buffer.TryTake(out var record))
            {
                if (items.Count == 0)
                {
                    firstReceivedAt = record.ReceivedAt;
                }

                var item = reader.Read(record);
                items.Add(item);
                if (item.UserId is { } userId)
                {
                    users.Add(userId);
                }
            }
            else if (items.Count == 0)
            {
                await WaitForRecord(stopping).ConfigureAwait(false);
            }
            else
            {
                var left = limits.BatchDeadline - clock.GetElapsedTime(firstReceivedAt);
                if (left <= TimeSpan.Zero)
                {
                    break;
                }

                await Task.WhenAny(WaitForRecord(stopping), Task.Delay(left, clock, stopping)).ConfigureAwait(false);
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
}
