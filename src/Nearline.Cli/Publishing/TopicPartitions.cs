using Confluent.Kafka;

namespace Nearline.Cli.Publishing;

/// <summary>The partitions of a topic, by a client's own connections.</summary>
internal static class TopicPartitions
{
    /// <remarks>
    /// The admin client lives no longer than the question: a thread of its own looks for answers all the time, and with
    /// some versions of librdkafka it does so without a pause, which keeps a core busy.
    /// </remarks>
    /// <exception cref="KafkaException">No broker answers.</exception>
    public static List<TopicPartition> PartitionsOf(this IClient client, string topic, TimeSpan timeout)
    {
        using var admin = new DependentAdminClientBuilder(client.Handle).Build();
        return [.. admin.GetMetadata(topic, timeout).Topics.Single().Partitions.Select(p => new TopicPartition(topic, p.PartitionId))];
    }
}
