using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>
/// Asks the brokers where paused partitions end, and where those begin of which nothing was received yet, on another thread, since the consumer's own must not
/// wait. One question at a time; the client's handle may be used from several threads. Dispose it before the consumer
/// is closed.
/// </summary>
internal sealed class PausedEnds(IConsumer<byte[]?, byte[]?> consumer) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TopicPartition, (long Begin, long End)> ends = [];
    private volatile bool disposed;
    private Task asking = Task.CompletedTask;

    /// <summary>
    /// What the brokers said last: the offset at which this group goes on, and one past the last offset. -1 when they
    /// were not asked.
    /// </summary>
    public (long Begin, long End) Of(TopicPartition partition) => ends.GetValueOrDefault(partition, (-1, -1));

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
                var offsets = consumer.QueryWatermarkOffsets(partition, Timeout);
                var committed = consumer.Committed([partition], Timeout)[0].Offset;
                ends[partition] = (committed.IsSpecial ? offsets.Low.Value : committed.Value, offsets.High.Value);
            }
            catch (KafkaException)
            {
                // No answer is no news: the next question comes in a second, and health checks tell of a lost Kafka.
                return;
            }
        }
    }
}
