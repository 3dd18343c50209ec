using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Contracts;
using Nearline.Publishing;

namespace Nearline.Api;

/// <summary>
/// Where refresh requests and operators' requests go; section <c>Kafka</c>. The service works without Kafka: it then counts
/// the former as dropped and refuses the latter.
/// </summary>
public sealed class KafkaOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Kafka";

    /// <summary><c>host:port,host:port</c>; empty, the default: no refresh requests are sent.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The topic of refresh requests. Default <c>nearline.refresh.v1</c>.</summary>
    public string RefreshTopic { get; set; } = KafkaTopics.Refresh;

    /// <summary>The topic of user events, which takes deletions. Default <c>nearline.user-events.v1</c>.</summary>
    public string UserEventsTopic { get; set; } = KafkaTopics.UserEvents;

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
        return WithClient(config);
    }

    /// <summary>Settings of a producer whose messages are acknowledged or refused.</summary>
    internal ProducerConfig ToOperatorConfig(TimeSpan timeout)
    {
        var config = UserRequests.Settings(BootstrapServers, timeout);
        config.ClientId = "nearline-api-admin";
        return WithClient(config);
    }

    private ProducerConfig WithClient(ProducerConfig config)
    {
        foreach (var (key, value) in Client)
        {
            config.Set(key, value);
        }

        return config;
    }
}

/// <summary>Refuses topic names that Kafka would refuse.</summary>
internal sealed class KafkaOptionsValidator : IValidateOptions<KafkaOptions>
{
    public ValidateOptionsResult Validate(string? name, KafkaOptions options)
    {
        var failures = new List<string>();
        Topic(nameof(options.RefreshTopic), options.RefreshTopic);
        Topic(nameof(options.UserEventsTopic), options.UserEventsTopic);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Topic(string key, string topic)
        {
            if (topic.Length is 0 or > 249 || !topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            {
                failures.Add($"Kafka:{key} is '{topic}'; it must be 1 to 249 letters, digits, '.', '_' or '-'");
            }
        }
    }
}
