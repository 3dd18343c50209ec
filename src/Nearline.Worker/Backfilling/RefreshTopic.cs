using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Contracts.Refresh.V1;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Backfilling;

/// <summary>The topic of requests, as a backfill fills it.</summary>
internal sealed class RefreshTopic : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly string topic;
    private readonly IProducer<byte[], byte[]> producer;
    private readonly IConsumer<Ignore, Ignore> group;

    public RefreshTopic(KafkaOptions options, ILogger logger)
    {
        topic = options.RefreshTopic;
        producer = new ProducerBuilder<byte[], byte[]>(options.ToProducerConfig())
            .SetErrorHandler((_, error) => logger.ProducerError(error.Code, error.Reason))
            .SetLogHandler((_, message) => logger.KafkaClient(message.Facility, message.Message))
            .Build();
        group = new ConsumerBuilder<Ignore, Ignore>(options.ToGroupConfig()).SetLogHandler((_, _) => { }).Build();
    }

    /// <summary>Sends a request for each user; completes when Kafka has all of them.</summary>
    /// <exception cref="KafkaException">It does not have at least one.</exception>
    public Task SendAsync(IEnumerable<string> users, BackfillScope scope, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var at = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(now);
        return Task.WhenAll(users.Select(user => producer.ProduceAsync(
            topic,
            new Message<byte[], byte[]>
            {
                Key = Encoding.UTF8.GetBytes(user),
                Value = new RefreshRequest { UserId = user, Reason = RefreshReason.Backfill, RequestedAt = at, Backfill = scope }.ToByteArray(),
            },
            cancellationToken)));
    }

    /// <summary>Requests that the workers have not processed yet. Blocks while it asks the brokers.</summary>
    /// <exception cref="KafkaException">They do not answer.</exception>
    public long Waiting()
    {
        var partitions = group.MetadataOf(topic, Timeout).Topics.Single().Partitions.ConvertAll(p => new TopicPartition(topic, p.PartitionId));
        var waiting = 0L;
        foreach (var committed in group.Committed(partitions, Timeout))
        {
            var ends = group.QueryWatermarkOffsets(committed.TopicPartition, Timeout);
            waiting += Math.Max(0, ends.High.Value - (committed.Offset.IsSpecial ? ends.Low.Value : committed.Offset.Value));
        }

        return waiting;
    }

    public void Dispose()
    {
        group.Dispose();
        producer.Dispose();
    }
}
