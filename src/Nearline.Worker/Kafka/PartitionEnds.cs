using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>
/// Asks the brokers where partitions end of which nothing is fetched, and where those begin of which nothing was
/// received yet, on another thread, since the consumer's own must not wait. One question at a time; the client's handle
/// may be used from several threads. Dispose it before the consumer is closed.
/// </summary>
internal sealed class PartitionEnds(IConsumer<byte[]?, byte[]?> consumer, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TopicPartition, (long Begin, long End, long At)> ends = [];
    private volatile bool disposed;
    private Task asking = Task.CompletedTask;

    /// <summary>
    /// What the brokers said last: the offset at which this group goes on, one past the last offset, and when they were
    /// asked. -1 when they were not.
    /// </summary>
    public (long Begin, long End, long At) Of(TopicPartition partition) => ends.GetValueOrDefault(partition, (-1, -1, 0));

    /// <summary>Asks anew, unless the last question is still open. Returns at once.</summary>
    public void Ask(IReadOnlyList<TopicPartition> partitions)
    {
        if (asking.IsCompleted && !disposed)
        {
            asking = Task.Run(() => AskEach(partitions));
        }
    }

    /// <summary>Waits for the open question, at most about two seconds.</summary>
    public void Dispose()
    {
        disposed = true;
        asking.Wait();
    }

    private void AskEach(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (disposed)
            {
                return;
            }

            try
            {
                var asked = clock.GetTimestamp();
                var offsets = consumer.QueryWatermarkOffsets(partition, Timeout);
                var committed = consumer.Committed([partition], Timeout)[0].Offset;
                ends[partition] = (committed.IsSpecial ? offsets.Low.Value : committed.Value, offsets.High.Value, asked);
            }
            catch (KafkaException)
            {
                // No answer is no news: the next question comes in a second, and health checks tell of a lost Kafka.
                return;
            }
        }
    }
}
