using System.Text;
using Confluent.Kafka;
using Google.Protobuf.WellKnownTypes;
using Nearline.Api.Tests.Support;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Refresh.V1;
using Nearline.LocalServers.Kafka;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed class RefreshRequestTests(SharedRedis redis)
{
    private const string Metric = "nearline_api_refresh_requests_total";

    [Fact]
    public async Task Misses_and_old_sets_ask_the_worker_once_per_user()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.Refresh, partitions: 2);
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address, ("Kafka:BootstrapServers", kafka.BootstrapServers), ("Api:RefreshDebounce", "01:00:00"));
        var (missing, old, fresh) = (Seeder.NewUser(), Seeder.NewUser(), Seeder.NewUser());
        await redis.Seed.SetAsync(old, Seeder.Home, Seeder.Set(3, TimeSpan.FromHours(1)));
        await redis.Seed.SetAsync(fresh, Seeder.Home, Seeder.Set(3));
        var before = DateTimeOffset.UtcNow;
        var maxAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(1));

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(CandidateSource.ScenarioFallback, (await api.GetAsync(new() { UserId = missing, Scenario = Seeder.Home })).Source);
            Assert.Equal(CandidateSource.Stale, (await api.GetAsync(new() { UserId = old, Scenario = Seeder.Home, MaxAge = maxAge })).Source);
            Assert.Equal(CandidateSource.Personalized, (await api.GetAsync(new() { UserId = fresh, Scenario = Seeder.Home, MaxAge = maxAge })).Source);
        }

        await api.HasMetricAsync(2, Metric, "outcome=\"sent\"");
        await api.HasMetricAsync(4, Metric, "outcome=\"debounced\"", "reason=\"miss\"");
        await api.HasMetricAsync(4, Metric, "outcome=\"debounced\"", "reason=\"stale\"");
        var records = await Task.Factory.StartNew(() => ReadAll(kafka), TaskCreationOptions.LongRunning);
        var requests = records.ToDictionary(r => r.Message.Key, r => RefreshRequest.Parser.ParseFrom(r.Message.Value));
        Assert.Equal(2, records.Count);
        Assert.Equal((missing, RefreshReason.Miss), (requests[missing].UserId, requests[missing].Reason));
        Assert.Equal((old, RefreshReason.Stale), (requests[old].UserId, requests[old].Reason));
        Assert.All(requests.Values, r => Assert.InRange(r.RequestedAt.ToDateTimeOffset(), before, DateTimeOffset.UtcNow));
        Assert.All(records, r => Assert.Matches(
            "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$",
            Encoding.ASCII.GetString(r.Message.Headers.GetLastBytes(KafkaHeaders.TraceParent))));
    }

    [Fact]
    public async Task Without_Kafka_requests_are_dropped_and_counted()
    {
        await using var api = await RunningApi.StartReadyAsync(redis.Address);

        await api.GetAsync(new() { UserId = Seeder.NewUser(), Scenario = Seeder.Home });

        await api.HasMetricAsync(1, Metric, "outcome=\"dropped_no_kafka\"", "reason=\"miss\"");
    }

    [Fact]
    public async Task With_Kafka_down_answers_are_not_delayed_and_requests_are_dropped()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.Refresh, partitions: 1);
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            ("Kafka:BootstrapServers", kafka.BootstrapServers),
            ("Kafka:Client:message.timeout.ms", 300));
        kafka.BrokerDown();
        var clock = System.Diagnostics.Stopwatch.StartNew();

        for (var i = 0; i < 20; i++)
        {
            await api.GetAsync(new() { UserId = Seeder.NewUser(), Scenario = Seeder.Home });
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"20 answers took {clock.Elapsed}");
        await api.HasMetricAsync(20, Metric, "outcome=\"dropped_undelivered\"");
    }

    private static List<ConsumeResult<string, byte[]>> ReadAll(MockKafkaCluster kafka)
    {
        using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
        {
            BootstrapServers = kafka.BootstrapServers,
            GroupId = "test",
            EnablePartitionEof = true,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(new List<TopicPartitionOffset>
        {
            new(KafkaTopics.Refresh, 0, Offset.Beginning),
            new(KafkaTopics.Refresh, 1, Offset.Beginning),
        });
        var records = new List<ConsumeResult<string, byte[]>>();
        var ended = new HashSet<int>();
        while (ended.Count < 2)
        {
            var result = consumer.Consume(Eventually.Long);
            Assert.NotNull(result);
            if (result.IsPartitionEOF)
            {
                ended.Add(result.Partition.Value);
            }
            else
            {
                records.Add(result);
            }
        }

        return records;
    }
}
