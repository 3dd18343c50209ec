using Confluent.Kafka;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Catalog;

/// <summary>The catalog topic in Kafka.</summary>
internal sealed class KafkaCatalogTopic : ICatalogTopic
{
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);

    private readonly string topic;
    private readonly KafkaTrouble trouble;
    private readonly IConsumer<byte[]?, byte[]?> consumer;

    public KafkaCatalogTopic(KafkaOptions options, KafkaTrouble trouble, ILogger logger)
    {
        topic = options.CatalogTopic;
        this.trouble = trouble;
        consumer = new ConsumerBuilder<byte[]?, byte[]?>(options.ToCatalogConfig())
            .SetKeyDeserializer(Deserializers.ByteArray)
            .SetValueDeserializer(Deserializers.ByteArray)
            .SetErrorHandler((_, error) => trouble.Failed("catalog consumer", error))
            .SetLogHandler((_, message) => logger.KafkaClient(message.Facility, message.Message))
            .Build();
    }

    public TopicMetadata? Describe() => consumer.MetadataOf(topic, MetadataTimeout).Topics
        .Find(t => string.Equals(t.Topic, topic, StringComparison.Ordinal));

    public void Assign(IEnumerable<TopicPartitionOffset> partitions) => consumer.Assign(partitions);

    public ConsumeResult<byte[]?, byte[]?>? Consume(TimeSpan timeout)
    {
        try
        {
            return consumer.Consume(timeout);
        }
        catch (ConsumeException e) when (!e.Error.IsFatal)
        {
            trouble.Failed("catalog consumer", e.Error);
            return null;
        }
    }

    public void Dispose()
    {
        consumer.Close();
        consumer.Dispose();
    }
}
