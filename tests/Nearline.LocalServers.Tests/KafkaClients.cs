using System.Diagnostics;
using Confluent.Kafka;
using Nearline.LocalServers.Kafka;

namespace Nearline.LocalServers.Tests;

internal static class KafkaClients
{
    public static IProducer<string, string> Producer(MockKafkaCluster cluster, Action<ProducerConfig>? configure = null)
    {
        var config = new ProducerConfig { BootstrapServers = cluster.BootstrapServers, LingerMs = 5 };
        configure?.Invoke(config);
        return new ProducerBuilder<string, string>(config).SetLogHandler((_, _) => { }).Build();
    }

    public static ConsumerBuilder<string, string> Consumer(
        MockKafkaCluster cluster, string group, Action<List<TopicPartitionOffset>>? onRevoked = null)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = cluster.BootstrapServers,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            HeartbeatIntervalMs = 100,
            // More than the 3 s of a first join; later joins wait a second less than this.
            SessionTimeoutMs = 4000,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
        };
        return new ConsumerBuilder<string, string>(config)
            .SetLogHandler((_, _) => { })
            // Without one, librdkafka 2.0.2 closes a cooperative consumer without leaving the group.
            .SetPartitionsRevokedHandler((_, revoked) => onRevoked?.Invoke(revoked));
    }

    /// <summary>Runs blocking client calls on a thread of their own, so that they starve neither the pool nor the test runner.</summary>
    public static Task<T> OffPoolAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static Task OffPoolAsync(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static Task ProduceAsync(MockKafkaCluster cluster, string topic, IEnumerable<string> values) =>
        OffPoolAsync(() => Produce(cluster, topic, values));

    public static Task<List<ConsumeResult<string, string>>> TakeAsync(IConsumer<string, string> consumer, int count) =>
        OffPoolAsync(() => Take(consumer, count));

    private static void Produce(MockKafkaCluster cluster, string topic, IEnumerable<string> values)
    {
        using var producer = Producer(cluster);
        foreach (var value in values)
        {
            producer.Produce(topic, new Message<string, string> { Key = value, Value = value }, report =>
                Assert.False(report.Error.IsError, report.Error.Reason));
        }

        producer.Flush(Wait.Long);
    }

    private static List<ConsumeResult<string, string>> Take(IConsumer<string, string> consumer, int count)
    {
        var results = new List<ConsumeResult<string, string>>();
        var clock = Stopwatch.StartNew();
        while (results.Count < count)
        {
            Assert.True(clock.Elapsed < Wait.Long, $"{results.Count} of {count} messages within {Wait.Long.TotalSeconds} s");
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } result)
            {
                results.Add(result);
            }
        }

        return results;
    }
}
