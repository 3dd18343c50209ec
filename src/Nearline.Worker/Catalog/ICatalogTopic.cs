using Confluent.Kafka;

namespace Nearline.Worker.Catalog;

/// <summary>The catalog topic as <see cref="CatalogFollower"/> reads it: a seam, so that tests can let brokers say anything.</summary>
internal interface ICatalogTopic : IDisposable
{
    /// <summary>What the brokers say of the topic; null or an error where they do not know it.</summary>
    /// <exception cref="KafkaException">No broker says anything in time.</exception>
    TopicMetadata? Describe();

    /// <summary>Reads these partitions from these offsets on, and no others.</summary>
    void Assign(IEnumerable<TopicPartitionOffset> partitions);

    /// <summary>The next record, or the end of a partition; null when there is none in time.</summary>
    /// <exception cref="ConsumeException">It cannot be read.</exception>
    ConsumeResult<byte[]?, byte[]?>? Consume(TimeSpan timeout);
}
