using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Refresh.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Nearline.Publishing;

/// <summary>
/// What an operator asks the workers to do about a user. A request that returned is in Kafka, on all replicas; one that was
/// cancelled or failed may be. Thread-safe; connects at the first request.
/// </summary>
/// <param name="config">The producer's settings; see <see cref="Settings"/>.</param>
/// <param name="source">The CloudEvents source of what is published.</param>
/// <param name="refreshTopic">The topic of refresh requests.</param>
/// <param name="eventsTopic">The topic of user events.</param>
/// <param name="time">The clock.</param>
public sealed class UserRequests(
    ProducerConfig config,
    string source,
    string refreshTopic = KafkaTopics.Refresh,
    string eventsTopic = KafkaTopics.UserEvents,
    TimeProvider? time = null) : IDisposable
{
    private readonly Lazy<IProducer<string, byte[]>> producer = new(
        () => new ProducerBuilder<string, byte[]>(config).SetLogHandler((_, _) => { }).Build());

    /// <summary>Settings of a producer that has every message acknowledged by all replicas, or says that it is not.</summary>
    /// <param name="bootstrapServers"><c>host:port,host:port</c>.</param>
    /// <param name="timeout">How long Kafka may take.</param>
    public static ProducerConfig Settings(string bootstrapServers, TimeSpan timeout) => new()
    {
        BootstrapServers = bootstrapServers,
        Acks = Acks.All,
        EnableIdempotence = true,
        LingerMs = 0,
        MessageTimeoutMs = (int)timeout.TotalMilliseconds,
    };

    /// <summary>Asks for sets made anew from the stored state.</summary>
    /// <returns>When it was asked for.</returns>
    /// <exception cref="KafkaException">Kafka did not take the request.</exception>
    public async Task<DateTimeOffset> RefreshAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        var now = Now();
        var request = new RefreshRequest
        {
            UserId = userId,
            Reason = RefreshReason.Admin,
            RequestedAt = Timestamp.FromDateTimeOffset(now),
        };
        var record = new Message<string, byte[]> { Key = userId, Value = request.ToByteArray() };
        await producer.Value.ProduceAsync(refreshTopic, record, cancellationToken).ConfigureAwait(false);
        return now;
    }

    /// <summary>Publishes the user's deletion, from this moment backwards.</summary>
    /// <returns>The moment.</returns>
    /// <exception cref="KafkaException">Kafka did not take the event.</exception>
    public async Task<DateTimeOffset> DeleteAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        var now = Now();
        var deletion = new UserEvent
        {
            UserId = userId,
            EventId = Guid.NewGuid().ToString("N"),
            EventTime = Timestamp.FromDateTimeOffset(now),
            DeleteUser = new DeleteUser(),
        };
        await producer.Value.ProduceAsync(eventsTopic, UserEventRecords.Of(deletion, source), cancellationToken).ConfigureAwait(false);
        return now;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (producer.IsValueCreated)
        {
            producer.Value.Dispose();
        }
    }

    private DateTimeOffset Now() => (time ?? TimeProvider.System).GetUtcNow();
}
