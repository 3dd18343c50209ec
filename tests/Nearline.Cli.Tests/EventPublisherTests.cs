using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.LocalServers.Kafka;
using Nearline.Model.Data.Simulation;

namespace Nearline.Cli.Tests;

public sealed class EventPublisherTests
{
    [Fact]
    public async Task Records_carry_key_value_and_cloud_events_headers_in_each_users_order()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, 2);
        var events = UserEvents.Merged(SimulatedWorld.Generate(SimulationOptions.Tiny).Users).Take(500).ToList();
        using var publisher = new EventPublisher(kafka.BootstrapServers);

        var count = await publisher.PublishAllAsync(events, 0, null, CancellationToken.None);

        Assert.Equal(events.Count, count);
        var records = Read(kafka, events.Count);
        foreach (var user in events.GroupBy(e => e.UserId))
        {
            Assert.Equal(user, records.Where(r => r.Message.Key == user.Key).Select(r => UserEvent.Parser.ParseFrom(r.Message.Value)));
        }

        foreach (var record in records)
        {
            var message = UserEvent.Parser.ParseFrom(record.Message.Value);
            Assert.Equal(message.EventId, Header(record, KafkaHeaders.CeId));
            Assert.Equal("nearline-publish", Header(record, KafkaHeaders.CeSource));
            Assert.Equal(message.EventTime.ToDateTimeOffset(), DateTimeOffset.Parse(Header(record, KafkaHeaders.CeTime), null));
        }
    }

    [Fact]
    public async Task A_rate_is_kept()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, 1);
        var events = UserEvents.Merged(SimulatedWorld.Generate(SimulationOptions.Tiny).Users).Take(101).ToList();
        using var publisher = new EventPublisher(kafka.BootstrapServers);

        var start = Stopwatch.GetTimestamp();
        await publisher.PublishAllAsync(events, rate: 200, null, CancellationToken.None);

        // The 101st event is due half a second after the first; a slow machine may only be later.
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromSeconds(0.45));
    }

    [Fact]
    public async Task What_kafka_refuses_is_an_error_and_not_a_smaller_count()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, 1);
        kafka.FailNext(KafkaRequest.Produce, ErrorCode.TopicAuthorizationFailed);
        var events = UserEvents.Merged(SimulatedWorld.Generate(SimulationOptions.Tiny).Users).Take(5).ToList();
        using var publisher = new EventPublisher(kafka.BootstrapServers);

        await Assert.ThrowsAsync<KafkaException>(() => publisher.PublishAllAsync(events, 0, null, CancellationToken.None));
    }

    [Fact]
    public async Task Lag_falls_to_zero_as_the_group_commits()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, 1);
        var events = UserEvents.Merged(SimulatedWorld.Generate(SimulationOptions.Tiny).Users).Take(20).ToList();
        using var publisher = new EventPublisher(kafka.BootstrapServers);
        await publisher.PublishAllAsync(events, 0, null, CancellationToken.None);
        using var lag = new GroupLag(kafka.BootstrapServers, "group", KafkaTopics.UserEvents);
        Assert.Equal(20, lag.Read());

        using var consumer = Consumer(kafka, "group");
        var partition = new TopicPartition(KafkaTopics.UserEvents, 0);
        consumer.Commit([new TopicPartitionOffset(partition, 15)]);
        Assert.Equal(5, lag.Read());
        consumer.Commit([new TopicPartitionOffset(partition, 20)]);
        await lag.WaitUntilCaughtUpAsync(null, CancellationToken.None);
    }

    private static IConsumer<string, byte[]> Consumer(MockKafkaCluster kafka, string group) =>
        new ConsumerBuilder<string, byte[]>(new ConsumerConfig
        {
            BootstrapServers = kafka.BootstrapServers,
            GroupId = group,
            EnableAutoCommit = false,
        }).Build();

    private static List<ConsumeResult<string, byte[]>> Read(MockKafkaCluster kafka, int count)
    {
        using var consumer = Consumer(kafka, "reader");
        consumer.Assign([
            new TopicPartitionOffset(KafkaTopics.UserEvents, 0, Offset.Beginning),
            new TopicPartitionOffset(KafkaTopics.UserEvents, 1, Offset.Beginning)]);
        var records = new List<ConsumeResult<string, byte[]>>();
        var start = Stopwatch.GetTimestamp();
        while (records.Count < count && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30))
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } record)
            {
                records.Add(record);
            }
        }

        Assert.Equal(count, records.Count);
        return records;
    }

    private static string Header(ConsumeResult<string, byte[]> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
