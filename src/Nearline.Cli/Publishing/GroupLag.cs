using Confluent.Kafka;

namespace Nearline.Cli.Publishing;

/// <summary>How far a consumer group is behind a topic's end, as Kafka knows it.</summary>
internal sealed class GroupLag : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly IConsumer<Ignore, Ignore> consumer;
    private readonly string topic;
    private List<TopicPartition>? partitions;

    /// <param name="bootstrapServers">Kafka.</param>
    /// <param name="group">The consumer group; this object never joins it.</param>
    /// <param name="topic">The topic.</param>
    public GroupLag(string bootstrapServers, string group, string topic)
    {
        this.topic = topic;
        consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = group,
            EnableAutoCommit = false,
        }).SetLogHandler((_, _) => { }).Build();
    }

    /// <summary>Records that are in the topic and not committed by the group.</summary>
    /// <exception cref="KafkaException">Kafka does not answer.</exception>
    public long Read()
    {
        partitions ??= consumer.PartitionsOf(topic, Timeout);
        var lag = 0L;
        foreach (var committed in consumer.Committed(partitions, Timeout))
        {
            var ends = consumer.QueryWatermarkOffsets(committed.TopicPartition, Timeout);
            var next = committed.Offset.IsSpecial ? ends.Low.Value : committed.Offset.Value;
            lag += Math.Max(0, ends.High.Value - next);
        }

        return lag;
    }

    /// <summary>Waits until the group has committed all that is in the topic now or comes meanwhile.</summary>
    /// <param name="behind">Called with the lag at each look.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task WaitUntilCaughtUpAsync(Action<long>? behind, CancellationToken cancellationToken)
    {
        while (true)
        {
            var lag = await Task.Run(Read, cancellationToken).ConfigureAwait(false);
            behind?.Invoke(lag);
            if (lag == 0)
            {
                return;
            }

            await Task.Delay(50, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => consumer.Dispose();
}
