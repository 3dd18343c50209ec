using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Refresh.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Nearline.Cli.Users;

/// <summary>What an operator asks the workers to do about a user.</summary>
internal static class UserRequests
{
    /// <summary>Asks for sets made anew from the stored state.</summary>
    /// <exception cref="KafkaException">Kafka did not take the request.</exception>
    public static async Task RefreshAsync(string bootstrap, string userId, CancellationToken cancellationToken)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig { BootstrapServers = bootstrap, Acks = Acks.All, EnableIdempotence = true, MessageTimeoutMs = 10_000 })
            .SetLogHandler((_, _) => { }).Build();
        var request = new RefreshRequest
        {
            UserId = userId,
            Reason = RefreshReason.Admin,
            RequestedAt = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
        };
        await producer.ProduceAsync(
            KafkaTopics.Refresh,
            new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(userId), Value = request.ToByteArray() },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Publishes the user's deletion, from this moment backwards.</summary>
    /// <exception cref="KafkaException">Kafka did not take the event.</exception>
    public static async Task DeleteAsync(string bootstrap, string userId, CancellationToken cancellationToken)
    {
        using var publisher = new EventPublisher(bootstrap, source: "nearline-user");
        await publisher.PublishAsync(
            new UserEvent
            {
                UserId = userId,
                EventId = Guid.NewGuid().ToString("N"),
                EventTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
                DeleteUser = new DeleteUser(),
            },
            cancellationToken).ConfigureAwait(false);
    }
}
