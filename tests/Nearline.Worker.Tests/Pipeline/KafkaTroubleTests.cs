using Nearline.Contracts;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class KafkaTroubleTests
{
    [Fact]
    public async Task Dead_letter_that_kafka_refuses_is_sent_until_it_is_acknowledged_and_only_then_committed()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests[0].UserId == "u0")
                {
                    entered.Set();
                    leave.Wait(TimeSpan.FromSeconds(90));
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        await infrastructure.PublishAsync(Records.Watch("u0", "film-1", DateTimeOffset.UtcNow, "e1"));
        await Eventually.TrueAsync(() => entered.IsSet, "a batch is in work");
        var record = await infrastructure.PublishAsync(Contracts.KafkaTopics.UserEvents, "u1", [0xFF]);
        infrastructure.Kafka.FailNext(
            LocalServers.Kafka.KafkaRequest.Produce,
            [.. Enumerable.Repeat(Confluent.Kafka.ErrorCode.TopicAuthorizationFailed, 2)]);
        leave.Set();

        await infrastructure.CommittedPastAsync(record);

        Assert.True(worker.Meters.Sum(MetricNames.Retries, ("operation", "dead-letter")) >= 1, "the refusal was met");
        Assert.Single(await infrastructure.DeadLettersAsync("u1", 1));
    }

    [Fact]
    public async Task Dead_letter_too_large_for_its_topic_is_sent_without_what_makes_it_so()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), null, "--Kafka:Client:message.max.bytes=3000");
        var text = new string('x', 4000);
        await infrastructure.PublishAsync(KafkaTopics.UserEvents, "u1", System.Text.Encoding.UTF8.GetBytes(text), ("x-tenant", "blue"));
        var last = await infrastructure.PublishAsync(KafkaTopics.UserEvents, "u1", [0xFF], ("x-tenant", text));

        var withoutValue = Assert.Single(await infrastructure.DeadLettersAsync("u1", 1));
        var bare = Assert.Single(await infrastructure.DeadLettersAsync("", 1));

        Assert.Null(withoutValue.Value);
        Assert.Equal(["x-tenant", KafkaHeaders.Error, KafkaHeaders.Origin, KafkaHeaders.Attempts], withoutValue.Headers.Select(h => h.Key));
        Assert.Equal([KafkaHeaders.Error, KafkaHeaders.Origin, KafkaHeaders.Attempts], bare.Headers.Select(h => h.Key));
        await infrastructure.CommittedPastAsync(last);
    }

    [Fact]
    public async Task Slow_model_pauses_partitions_and_not_polls()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        using var leave = new ManualResetEventSlim();
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests[0].UserId.Length > 0)
                {
                    leave.Wait(TimeSpan.FromSeconds(90));
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(model), null, "--Worker:MaxBuffered=20", "--Worker:BatchMaxEvents=10");
        var random = new Random(7);
        var logs = Enumerable.Range(0, 6).Select(i => Lives.Log(random, $"u{i}", 60)).ToList();
        await infrastructure.PublishAsync(random, logs);
        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.Buffered) >= 1, "records wait");
        var consumed = worker.Meters.Sum(MetricNames.ConsumedMessages);
        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.PollAge) < 1 && worker.Meters.Gauge(MetricNames.ConsumerLag) > 250, "lag shows");

        // How many wait depends on when the next batch was taken from the full buffer; that they are few does not.
        Assert.InRange(worker.Meters.Gauge(MetricNames.Buffered), 0, 40);
        Assert.InRange(worker.Meters.Sum(MetricNames.ConsumedMessages), consumed, 60);
        leave.Set();

        await infrastructure.CountedOnceAsync(logs);
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.ConsumedMessages) == 360, "all 360 are consumed");
    }

    [Fact]
    public async Task Partitions_lost_while_they_are_paused_are_read_on_when_they_come_back()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        using var leave = new ManualResetEventSlim();
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests[0].UserId.Length > 0)
                {
                    leave.Wait(TimeSpan.FromSeconds(90));
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(model), null, "--Worker:MaxBuffered=20", "--Worker:BatchMaxEvents=10");
        var random = new Random(8);
        var logs = Enumerable.Range(0, 6).Select(i => Lives.Log(random, $"u{i}", 40)).ToList();
        await infrastructure.PublishAsync(random, logs);
        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.Buffered) >= 20, "two batches are in work, and it is paused");

        // The coordinator forgets this member, and what it held is drained before it has joined again.
        infrastructure.Kafka.FailNext(LocalServers.Kafka.KafkaRequest.Heartbeat, Confluent.Kafka.ErrorCode.UnknownMemberId);
        await Eventually.TrueAsync(() => worker.Logs.Warnings("partitions lost").Count > 0, "the partitions are lost");
        leave.Set();

        await infrastructure.CountedOnceAsync(logs);
    }
}
