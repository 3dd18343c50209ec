using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Contracts;
using Nearline.Worker.Options;

namespace Nearline.Worker.Kafka;

/// <summary>Sends records that cannot be used to the dead-letter topic.</summary>
internal sealed class DeadLetterProducer : IDisposable
{
    private readonly IProducer<byte[]?, byte[]?> producer;
    private readonly string topic;

    public DeadLetterProducer(IOptions<KafkaOptions> options, KafkaTrouble trouble, ILogger<DeadLetterProducer> logger)
    {
        topic = options.Value.DeadLetterTopic;
        producer = new ProducerBuilder<byte[]?, byte[]?>(options.Value.ToProducerConfig())
            .SetKeySerializer(Serializers.ByteArray)
            .SetValueSerializer(Serializers.ByteArray)
            .SetErrorHandler((_, error) => trouble.Failed("dead-letter producer", error))
            .SetLogHandler((_, message) => logger.KafkaClient(message.Facility, message.Message))
            .Build();
    }

    /// <summary>Sends the records, where there is a topic for them, with their original key, value and headers; completes when all are acknowledged.</summary>
    /// <exception cref="KafkaException">At least one was not acknowledged.</exception>
    public Task SendAsync(IEnumerable<DeadLetter> letters, CancellationToken cancellationToken) =>
        topic.Length == 0 ? Task.CompletedTask : Task.WhenAll(letters.Select(letter => SendAsync(letter, cancellationToken)));

    public void Dispose() => producer.Dispose();

    private async Task SendAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var record = letter.Record;
        Message<byte[]?, byte[]?>[] forms =
        [
            new() { Key = record.Key, Value = record.Value, Headers = HeadersOf(letter, record.Headers) },

            // The added headers can push a record over the broker's limit, and a record of another cluster can be over
            // it from the start; nl-origin still tells where it is.
            new() { Key = record.Key, Headers = HeadersOf(letter, record.Headers) },
            new() { Headers = HeadersOf(letter, []) },
        ];
        for (var form = 0; ; form++)
        {
            try
            {
                await producer.ProduceAsync(topic, forms[form], cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.MsgSizeTooLarge && form + 1 < forms.Length)
            {
                // The next form is smaller.
            }
        }
    }

    private static Headers HeadersOf(DeadLetter letter, IEnumerable<IHeader>? originals)
    {
        var headers = new Headers();
        foreach (var header in originals ?? [])
        {
            headers.Add(header.Key, header.GetValueBytes());
        }

        headers.Add(KafkaHeaders.Error, Encoding.UTF8.GetBytes(letter.Error));
        headers.Add(KafkaHeaders.Origin, Encoding.UTF8.GetBytes(letter.Record.Origin));
        headers.Add(KafkaHeaders.Attempts, Encoding.UTF8.GetBytes(letter.Attempts.ToString(CultureInfo.InvariantCulture)));
        return headers;
    }
}
