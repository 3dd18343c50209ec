using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Contracts;

namespace Nearline.Api;

/// <summary>Where refresh requests go; section <c>Kafka</c>. The service works without Kafka: it then counts them as dropped.</summary>
public sealed class KafkaOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Kafka";

    /// <summary><c>host:port,host:port</c>; empty, the default: no refresh requests are sent.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The topic of refresh requests. Default <c>nearline.refresh.v1</c>.</summary>
    public string RefreshTopic { get; set; } = KafkaTopics.Refresh;

    /// <summary>Further librdkafka settings by their own names, such as <c>security.protocol</c>.</summary>
    public Dictionary<string, string> Client { get; } = new(StringComparer.Ordinal);

    /// <summary>Settings of a producer whose messages may be lost rather than pile up.</summary>
    internal ProducerConfig ToProducerConfig()
    {
        var config = new ProducerConfig
        {
            BootstrapServers = BootstrapServers,
            ClientId = "nearline-api",
            Acks = Acks.Leader,
            LingerMs = 5,
            MessageTimeoutMs = 10_000,
            QueueBufferingMaxMessages = 10_000,
        };
        foreach (var (key, value) in Client)
        {
            config.Set(key, value);
        }

        return config;
    }
}

/// <summary>Refuses a topic name that Kafka would refuse.</summary>
internal sealed class KafkaOptionsValidator : IValidateOptions<KafkaOptions>
{
    public ValidateOptionsResult Validate(string? name, KafkaOptions options) =>
        options.RefreshTopic.Length is > 0 and <= 249
        && options.RefreshTopic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Kafka:RefreshTopic is '{options.RefreshTopic}'; it must be 1 to 249 letters, digits, '.', '_' or '-'");
}
