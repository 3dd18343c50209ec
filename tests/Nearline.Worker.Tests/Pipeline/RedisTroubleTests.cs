using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class RedisTroubleTests
{
    [Fact]
    public async Task While_redis_is_down_nothing_is_committed_or_lost()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")));
        await worker.ReadyAsync();
        await infrastructure.Redis.KillAsync();

        var random = new Random(1);
        var logs = Enumerable.Range(0, 4).Select(i => Lives.Log(random, $"u{i}", 15)).ToList();
        var last = await infrastructure.PublishAsync(random, logs);
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.Retries, ("operation", "load states")) >= 2, "the load is retried");
        await Eventually.PassAsync(async () =>
        {
            var (status, body) = await worker.GetAsync("/healthz/ready");
            Assert.Equal(503, status);
            Assert.Contains("retrying load states", body, StringComparison.Ordinal);
        });
        Assert.Equal(200, (await worker.GetAsync("/healthz/live")).Status);
        foreach (var record in last)
        {
            Assert.Equal(0, await infrastructure.CommittedAsync(record.TopicPartition));
        }

        Assert.True(worker.Meters.Gauge(MetricNames.PollAge) < 5, "the consumer polls on");
        await infrastructure.Redis.RestartAsync();

        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        await worker.ReadyAsync();
    }

    [Fact]
    public async Task Write_that_another_worker_got_ahead_of_is_folded_again_on_top()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var other = Lives.Log(new Random(3), "u1", 5, deletes: false).Select(e => e with { Partition = 77 }).ToList();
        var hooks = new TestHooks();
        hooks.BeforeWrite = async _ =>
        {
            hooks.BeforeWrite = _ => Task.CompletedTask;
            var user = Worker.State.StoredUser.New("u1", 128);
            other.ForEach(e => user.Fold(e));
            await infrastructure.Database.StringSetAsync(
                Contracts.RedisKeys.State("u1"),
                Google.Protobuf.MessageExtensions.ToByteArray(Worker.State.UserStateMapper.ToMessage(user, Records.Now)));
        };
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), hooks);

        await infrastructure.PublishAsync(Records.Watch("u1", "film-9", DateTimeOffset.UtcNow, "mine"));

        await Eventually.PassAsync(async () => Assert.Equal("mine", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var mine = new Worker.Events.UserEventRecord(
            "u1",
            new(Model.Behaviours.ActionKind.Watch, (await infrastructure.UserAsync("u1"))!.History.LastEventTime!.Value)
            {
                ShowId = "film-9",
                Played = TimeSpan.FromMinutes(30),
            },
            "mine",
            1,
            "t",
            0,
            0);
        await infrastructure.CountedOnceAsync([[.. other, mine]]);
        Assert.Equal(1, worker.Meters.Sum(MetricNames.StateConflicts));
        Assert.Equal(1, worker.Meters.Sum(MetricNames.Events, ("outcome", "applied")));
    }
}
