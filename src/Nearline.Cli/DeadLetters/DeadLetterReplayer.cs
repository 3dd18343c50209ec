using Confluent.Kafka;

namespace Nearline.Cli.DeadLetters;

/// <summary>Sends dead letters again, as they were.</summary>
/// <param name="bootstrapServers">Kafka.</param>
/// <param name="topic">Where to; null: where each came from.</param>
/// <param name="isDryRun">Whether nothing is sent.</param>
internal sealed class DeadLetterReplayer(string bootstrapServers, string? topic, bool isDryRun) : IDisposable
{
    private readonly IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
    {
        BootstrapServers = bootstrapServers,
        EnableIdempotence = true,
        Acks = Acks.All,
        MessageTimeoutMs = 30_000,
    }).SetKeySerializer(Serializers.ByteArray).SetValueSerializer(Serializers.ByteArray).SetLogHandler((_, _) => { }).Build();

    /// <summary>How many could not be sent.</summary>
    public int Refused { get; private set; }

    /// <summary>Sends one and waits until Kafka has it.</summary>
    /// <returns>Why it cannot be sent; null: it was.</returns>
    /// <exception cref="KafkaException">Kafka does not take it.</exception>
    public async Task<string?> SendAsync(DeadRecord record, CancellationToken cancellationToken)
    {
        var target = topic ?? record.OriginTopic;
        var problem = target is null ? $"nl-origin is '{record.Origin}'; it must be topic/partition/offset, or --to say where to"
            : record.Value is null ? $"its value is missing, most likely too large to come along; the original is at {record.Origin}, if Kafka still has it"
            : null;
        if (problem is not null)
        {
            Refused++;
            return problem;
        }

        if (!isDryRun)
        {
            await producer.ProduceAsync(target, record.Original(), cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => producer.Dispose();
}
