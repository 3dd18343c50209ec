using Confluent.Kafka;
using Nearline.Cli.Publishing;

namespace Nearline.Cli.Replaying;

/// <summary>The consumer group of a replay: set to its start, and asked how far it is.</summary>
internal sealed class ReplayGroup : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly IConsumer<Ignore, Ignore> consumer;
    private readonly Dictionary<TopicPartition, (long Begin, long End)> ranges = [];

    public ReplayGroup(string bootstrap, string group)
    {
        Name = group;
        consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            EnableAutoCommit = false,
        }).SetLogHandler((_, _) => { }).Build();
    }

    public string Name { get; }

    /// <summary>Partitions that are replayed.</summary>
    public int Partitions => ranges.Count;

    /// <summary>Records between start and the end as it was then.</summary>
    public long Total => ranges.Values.Sum(r => r.End - r.Begin);

    /// <summary>Where the group begins is committed before it has a member. It ends with what was there then.</summary>
    /// <exception cref="KafkaException">Kafka does not answer.</exception>
    public void Begin(string topic, ReplayStart? start)
    {
        foreach (var partition in consumer.PartitionsOf(topic, Timeout))
        {
            var ends = consumer.QueryWatermarkOffsets(partition, Timeout);
            var begin = start switch
            {
                { Time: { } time } => OffsetOf(partition, time, ends.High.Value),
                { Offset: { } offset } => offset,
                _ => ends.Low.Value,
            };
            ranges[partition] = (Math.Clamp(begin, ends.Low.Value, ends.High.Value), ends.High.Value);
        }

        consumer.Commit(ranges.Select(r => new TopicPartitionOffset(r.Key, r.Value.Begin)));
    }

    /// <summary>Leaves a topic out: the group begins at its end.</summary>
    public void Skip(string topic) => consumer.Commit(
        consumer.PartitionsOf(topic, Timeout).Select(p => new TopicPartitionOffset(p, consumer.QueryWatermarkOffsets(p, Timeout).High)));

    /// <summary>Records that are to be replayed yet.</summary>
    public long Left() => consumer.Committed(ranges.Keys, Timeout)
        .Sum(c => Math.Max(0, ranges[c.TopicPartition].End - (c.Offset.IsSpecial ? ranges[c.TopicPartition].Begin : c.Offset.Value)));

    public void Dispose() => consumer.Dispose();

    private long OffsetOf(TopicPartition partition, DateTimeOffset time, long end)
    {
        var found = consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(time))], Timeout).Single().Offset;

        // The end: nothing is that new.
        return found.IsSpecial ? end : found.Value;
    }
}
