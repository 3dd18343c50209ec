using System.Diagnostics;
using Confluent.Kafka;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Publishing;

namespace Nearline.Cli.Publishing;

/// <summary>
/// Publishes user events as a producer should: key = user_id, CloudEvents headers, an idempotent producer that waits
/// for all replicas. Keeps to a rate when one is given.
/// </summary>
internal sealed class EventPublisher : IDisposable
{
    private const int MaxInFlight = 20_000;

    private readonly IProducer<string, byte[]> producer;
    private readonly string topic;
    private readonly string source;

    /// <param name="bootstrapServers">Kafka.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="source">The CloudEvents source.</param>
    public EventPublisher(string bootstrapServers, string topic = KafkaTopics.UserEvents, string source = "nearline-publish")
    {
        this.topic = topic;
        this.source = source;
        producer = new ProducerBuilder<string, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            EnableIdempotence = true,
            Acks = Acks.All,
            LingerMs = 2,
            MessageTimeoutMs = 30_000,
        }).SetLogHandler((_, _) => { }).Build();
    }

    /// <summary>Publishes one event and waits until Kafka has it.</summary>
    /// <exception cref="ProduceException{TKey,TValue}">Kafka did not take it.</exception>
    public Task PublishAsync(UserEvent message, CancellationToken cancellationToken) =>
        producer.ProduceAsync(topic, UserEventRecords.Of(message, source), cancellationToken);

    /// <summary>Publishes events in their order and waits until Kafka has all of them.</summary>
    /// <param name="events">The events.</param>
    /// <param name="rate">Events a second; 0: as fast as Kafka takes them.</param>
    /// <param name="sent">Called with the count so far.</param>
    /// <param name="cancellationToken">Stops between two events.</param>
    /// <returns>How many were published.</returns>
    /// <exception cref="KafkaException">Kafka did not take one of them.</exception>
    public async Task<int> PublishAllAsync(
        IEnumerable<UserEvent> events, double rate, Action<int>? sent, CancellationToken cancellationToken)
    {
        var count = 0;
        var failed = (Error?)null;
        using var inFlight = new SemaphoreSlim(MaxInFlight);
        var start = Stopwatch.GetTimestamp();
        foreach (var message in events)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (rate > 0)
            {
                var ahead = (count / rate) - Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (ahead > 0.002)
                {
                    await Task.Delay(TimeSpan.FromSeconds(ahead), cancellationToken).ConfigureAwait(false);
                }
            }

            await inFlight.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (failed is { } error)
            {
                throw new KafkaException(error);
            }

            Produce(message, report =>
            {
                if (report.Error.IsError)
                {
                    failed = report.Error;
                }

                inFlight.Release();
            });
            count++;
            sent?.Invoke(count);
        }

        await Task.Run(() => producer.Flush(cancellationToken), cancellationToken).ConfigureAwait(false);
        return failed is { } last ? throw new KafkaException(last) : count;
    }

    public void Dispose() => producer.Dispose();

    private void Produce(UserEvent message, Action<DeliveryReport<string, byte[]>> done)
    {
        while (true)
        {
            try
            {
                producer.Produce(topic, UserEventRecords.Of(message, source), done);
                return;
            }
            catch (ProduceException<string, byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Poll(TimeSpan.FromMilliseconds(50));
            }
        }
    }
}
