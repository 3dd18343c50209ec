using System.Globalization;
using Confluent.Kafka;
using Nearline.LocalServers.Kafka;

namespace Nearline.LocalServers.Tests;

public sealed class MockKafkaClusterTests
{
    private static string[] Values(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    [Fact]
    public async Task A_group_resumes_from_its_commit_after_its_consumer_restarts()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 2);
        await KafkaClients.ProduceAsync(cluster, "events", Values(0, 100));

        var seen = new List<string>();
        using (var first = KafkaClients.Consumer(cluster, "g").Build())
        {
            first.Subscribe("events");
            foreach (var result in await KafkaClients.TakeAsync(first, 40))
            {
                seen.Add(result.Message.Value);
                first.Commit(result);
            }

            first.Close();
        }

        using var second = KafkaClients.Consumer(cluster, "g").Build();
        second.Subscribe("events");
        seen.AddRange((await KafkaClients.TakeAsync(second, 60)).Select(r => r.Message.Value));
        Assert.Equal(Values(0, 100).Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        second.Close();
    }

    [Fact]
    public async Task Two_cooperative_consumers_share_the_partitions_without_losing_kept_ones()
    {
        using var cluster = MockKafkaCluster.Start(brokers: 3);
        cluster.CreateTopic("events", 4);
        var revokedFromFirst = new List<TopicPartition>();
        using var stop = new CancellationTokenSource();

        using var first = KafkaClients.Consumer(
            cluster, "g", revoked => revokedFromFirst.AddRange(revoked.Select(r => r.TopicPartition))).Build();
        using var second = KafkaClients.Consumer(cluster, "g").Build();
        var values = new HashSet<string>(StringComparer.Ordinal);

        Task Poll(IConsumer<string, string> consumer) => KafkaClients.OffPoolAsync(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } result)
                {
                    lock (values)
                    {
                        values.Add(result.Message.Value);
                    }
                }
            }
        });

        first.Subscribe("events");
        var polls = new List<Task> { Poll(first) };
        await Wait.UntilAsync(() => first.Assignment.Count == 4, "one consumer owns all four partitions");

        second.Subscribe("events");
        polls.Add(Poll(second));
        await Wait.UntilAsync(
            () => first.Assignment.Count == 2 && second.Assignment.Count == 2, "each consumer owns two partitions");
        Assert.Empty(first.Assignment.Intersect(second.Assignment));
        Assert.Equal(2, revokedFromFirst.Count);

        await KafkaClients.ProduceAsync(cluster, "events", Values(0, 50));
        await Wait.UntilAsync(
            () =>
            {
                lock (values)
                {
                    return values.Count == 50;
                }
            },
            "both together read everything");
        await stop.CancelAsync();
        await Task.WhenAll(polls);
    }

    [Fact]
    public async Task An_injected_error_reaches_the_producer_and_the_next_request_passes()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        using var producer = KafkaClients.Producer(cluster);
        cluster.FailNext(KafkaRequest.Produce, ErrorCode.MsgSizeTooLarge);

        var error = await Assert.ThrowsAsync<ProduceException<string, string>>(
            () => producer.ProduceAsync("events", new Message<string, string> { Key = "k", Value = "v" }));
        Assert.Equal(ErrorCode.MsgSizeTooLarge, error.Error.Code);

        var delivered = await producer.ProduceAsync("events", new Message<string, string> { Key = "k", Value = "v" });
        Assert.Equal(0, delivered.Offset.Value);
    }

    [Fact]
    public async Task An_injected_commit_error_surfaces_and_cleared_ones_do_not()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        await KafkaClients.ProduceAsync(cluster, "events", Values(0, 1));
        using var consumer = KafkaClients.Consumer(cluster, "g").Build();
        consumer.Subscribe("events");
        var result = (await KafkaClients.TakeAsync(consumer, 1))[0];

        cluster.FailNext(KafkaRequest.OffsetCommit, ErrorCode.GroupAuthorizationFailed);
        var error = Assert.Throws<KafkaException>(() => consumer.Commit(result));
        Assert.Equal(ErrorCode.GroupAuthorizationFailed, error.Error.Code);

        cluster.FailNext(KafkaRequest.OffsetCommit, ErrorCode.GroupAuthorizationFailed);
        cluster.ClearFailures(KafkaRequest.OffsetCommit);
        consumer.Commit(result);
        Assert.Equal(1, consumer.Committed(consumer.Assignment, Wait.Long).Single().Offset.Value);
        consumer.Close();
    }

    [Fact]
    public async Task A_broker_that_goes_down_and_up_loses_no_message()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        using var producer = KafkaClients.Producer(cluster, c => c.EnableIdempotence = true);
        using var consumer = KafkaClients.Consumer(cluster, "g").Build();
        consumer.Assign(new TopicPartitionOffset("events", 0, Offset.Beginning));

        await producer.ProduceAsync("events", new Message<string, string> { Key = "0", Value = "0" });
        Assert.Equal("0", (await KafkaClients.TakeAsync(consumer, 1))[0].Message.Value);

        cluster.BrokerDown(1);
        var pending = producer.ProduceAsync("events", new Message<string, string> { Key = "1", Value = "1" });
        Assert.Null(await KafkaClients.OffPoolAsync(() => consumer.Consume(TimeSpan.FromMilliseconds(300))));
        Assert.False(pending.IsCompleted);

        var addressBefore = cluster.BootstrapServers;
        cluster.BrokerUp(1);
        Assert.Equal(1, (await pending.WaitAsync(Wait.Long)).Offset.Value);
        Assert.Equal("1", (await KafkaClients.TakeAsync(consumer, 1))[0].Message.Value);
        Assert.Equal(addressBefore, cluster.BootstrapServers);
    }

    [Fact]
    public async Task Latency_delays_answers()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        using var producer = KafkaClients.Producer(cluster, c => c.LingerMs = 0);
        await producer.ProduceAsync("events", new Message<string, string> { Key = "k", Value = "v" });

        cluster.SetLatency(1, TimeSpan.FromMilliseconds(400));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await producer.ProduceAsync("events", new Message<string, string> { Key = "k", Value = "v" });
        Assert.InRange(clock.ElapsedMilliseconds, 350, 10_000);
    }

    /// <summary>What the documentation says about the bounded log.</summary>
    [Fact]
    public async Task A_partition_keeps_about_5_MiB_and_a_reader_from_the_start_begins_at_the_low_watermark()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        const int Size = 10_000;
        const int Count = 1_000;
        var filler = new string('x', Size - 10);
        await KafkaClients.ProduceAsync(
            cluster, "events", Values(0, Count).Select(v => v.PadLeft(10, '0') + filler));

        using var consumer = KafkaClients.Consumer(cluster, "g").Build();
        var partition = new TopicPartition("events", 0);
        var marks = consumer.QueryWatermarkOffsets(partition, Wait.Long);
        Assert.Equal(Count, marks.High.Value);
        // Key and value carry the text once each.
        var kept = (marks.High.Value - marks.Low.Value) * 2 * Size;
        Assert.InRange(kept, 3.5 * 1024 * 1024, 5.5 * 1024 * 1024);

        consumer.Assign(new TopicPartitionOffset(partition, 0));
        var first = (await KafkaClients.TakeAsync(consumer, 1))[0];
        Assert.Equal(marks.Low.Value, first.Offset.Value);
        Assert.Equal(marks.Low.Value, long.Parse(first.Message.Value.AsSpan(0, 10), CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Every_listener_is_on_the_loopback_address()
    {
        using var cluster = MockKafkaCluster.Start(brokers: 3);
        var addresses = cluster.BootstrapServers.Split(',');
        Assert.Equal(3, addresses.Length);
        Assert.All(addresses, a => Assert.StartsWith("127.0.0.1:", a, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("a b", 1, 1)]
    [InlineData("ok", 0, 1)]
    [InlineData("ok", 1, 2)]
    public void Bad_topics_are_refused(string name, int partitions, int replicas)
    {
        using var cluster = MockKafkaCluster.Start();
        Assert.ThrowsAny<ArgumentException>(() => cluster.CreateTopic(name, partitions, replicas));
    }

    [Fact]
    public void A_topic_is_created_once()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("events", 1);
        var error = Assert.Throws<KafkaException>(() => cluster.CreateTopic("events", 1));
        Assert.Equal(ErrorCode.TopicAlreadyExists, error.Error.Code);
        Assert.Contains("'events'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Brokers_that_are_not_there_are_refused()
    {
        using var cluster = MockKafkaCluster.Start(brokers: 2);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => cluster.BrokerDown(3));
        Assert.Contains("1 to 2", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => MockKafkaCluster.Start(0));
    }

    [Fact]
    public void A_disposed_cluster_says_so()
    {
        var cluster = MockKafkaCluster.Start();
        cluster.Dispose();
        cluster.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cluster.CreateTopic("events", 1));
        Assert.Throws<ObjectDisposedException>(() => cluster.FailNext(KafkaRequest.Fetch, ErrorCode.Unknown));
    }
}
