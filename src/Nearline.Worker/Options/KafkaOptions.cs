using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Contracts;

namespace Nearline.Worker.Options;

/// <summary>Where the events come from; section <c>Kafka</c>.</summary>
internal sealed class KafkaOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Kafka";

    /// <summary>What counting each event once depends on.</summary>
    private static readonly string[] Reserved =
        ["enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "partition.assignment.strategy"];

    /// <summary>Brokers to start from, <c>host:port</c> separated by commas. Required.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The consumer group; workers of one group share the partitions.</summary>
    public string GroupId { get; set; } = "nearline-worker";

    /// <summary>
    /// Names this member across restarts (static membership), so that a quick restart moves no partitions; empty: a
    /// new member each time. Must differ between workers.
    /// </summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>The topic of user events.</summary>
    public string UserEventsTopic { get; set; } = KafkaTopics.UserEvents;

    /// <summary>The topic of refresh requests.</summary>
    public string RefreshTopic { get; set; } = KafkaTopics.Refresh;

    /// <summary>The compacted topic of the catalog; empty: the catalog stays as the model was trained with.</summary>
    public string CatalogTopic { get; set; } = KafkaTopics.Catalog;

    /// <summary>The topic for records that cannot be used; empty: they are only counted and named in the log.</summary>
    public string DeadLetterTopic { get; set; } = KafkaTopics.UserEventsDlq;

    /// <summary>Longest time between polls before the group gives the partitions to others. 10 s to 1 h.</summary>
    public TimeSpan MaxPollInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Silence after which the group takes a member for dead. 1 s to 30 min; at most the poll interval.</summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a broker may hold a fetch that has nothing to return. 1 ms to 10 s.</summary>
    public TimeSpan FetchWait { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Further settings of librdkafka for consumer and producer, by its own names, such as
    /// <c>security.protocol</c> and <c>sasl.username</c>. Those that commits depend on are refused.
    /// </summary>
    public Dictionary<string, string> Client { get; } = new(StringComparer.Ordinal);

    /// <summary>The consumer's settings.</summary>
    public ConsumerConfig ToConsumerConfig() => With(new ConsumerConfig
    {
        BootstrapServers = BootstrapServers,
        GroupId = GroupId,
        GroupInstanceId = string.IsNullOrEmpty(GroupInstanceId) ? null : GroupInstanceId,
        PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
        IsolationLevel = IsolationLevel.ReadCommitted,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        EnablePartitionEof = true,
        MaxPollIntervalMs = (int)MaxPollInterval.TotalMilliseconds,
        SessionTimeoutMs = (int)SessionTimeout.TotalMilliseconds,
        HeartbeatIntervalMs = (int)Math.Min(3000, SessionTimeout.TotalMilliseconds / 3),
        FetchWaitMaxMs = (int)FetchWait.TotalMilliseconds,
        ReconnectBackoffMaxMs = 5000,
    });

    /// <summary>
    /// The settings of the catalog's consumer, which assigns partitions to itself; the client wants a group all the same.
    /// </summary>
    public ConsumerConfig ToCatalogConfig() => With(new ConsumerConfig
    {
        BootstrapServers = BootstrapServers,
        GroupId = $"{GroupId}-catalog",
        IsolationLevel = IsolationLevel.ReadCommitted,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        EnablePartitionEof = true,
        AllowAutoCreateTopics = false,
        FetchWaitMaxMs = (int)FetchWait.TotalMilliseconds,
        ReconnectBackoffMaxMs = 5000,
    });

    /// <summary>The settings of one who asks how far the group is, and never joins it.</summary>
    public ConsumerConfig ToGroupConfig() => With(new ConsumerConfig
    {
        BootstrapServers = BootstrapServers,
        GroupId = GroupId,
        EnableAutoCommit = false,
        ReconnectBackoffMaxMs = 5000,
    });

    /// <summary>The dead-letter producer's settings.</summary>
    public ProducerConfig ToProducerConfig() => With(new ProducerConfig
    {
        BootstrapServers = BootstrapServers,
        Acks = Acks.All,
        EnableIdempotence = true,
        LingerMs = 5,
        ReconnectBackoffMaxMs = 5000,
    });

    private T With<T>(T config)
        where T : ClientConfig
    {
        foreach (var (name, value) in Client)
        {
            config.Set(name, value);
        }

        return config;
    }

    internal sealed class Validator : IValidateOptions<KafkaOptions>
    {
        public ValidateOptionsResult Validate(string? name, KafkaOptions options)
        {
            var check = new OptionsCheck(Section);
            check.NotEmpty(nameof(BootstrapServers), options.BootstrapServers, "a list like host:port,host:port");
            check.NotEmpty(nameof(GroupId), options.GroupId, "the consumer group's name");
            check.NotEmpty(nameof(UserEventsTopic), options.UserEventsTopic, "a topic");
            check.NotEmpty(nameof(RefreshTopic), options.RefreshTopic, "a topic");
            check.InRange(nameof(MaxPollInterval), options.MaxPollInterval, TimeSpan.FromSeconds(10), TimeSpan.FromHours(1));
            check.InRange(
                nameof(SessionTimeout), options.SessionTimeout, TimeSpan.FromSeconds(1), Least(TimeSpan.FromMinutes(30), options.MaxPollInterval));
            check.InRange(nameof(FetchWait), options.FetchWait, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
            foreach (var setting in Reserved.Where(options.Client.ContainsKey))
            {
                check.NotAllowed($"Client:{setting}", options.Client[setting], "the worker sets it itself, since counting each event once depends on it");
            }

            return check.Result();
        }

        private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
    }
}
