using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>What the brokers say of topics, by a client's own connections.</summary>
internal static class ClientMetadata
{
    /// <remarks>
    /// The admin client lives no longer than the question: a thread of its own looks for answers all the time, and with
    /// some versions of librdkafka it does so without a pause, which keeps a core busy.
    /// </remarks>
    /// <exception cref="KafkaException">No broker answers.</exception>
    public static Metadata MetadataOf(this IClient client, string topic, TimeSpan timeout)
    {
        using var admin = new DependentAdminClientBuilder(client.Handle).Build();
        return admin.GetMetadata(topic, timeout);
    }
}
