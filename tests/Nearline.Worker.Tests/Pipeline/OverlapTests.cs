using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class OverlapTests : IDisposable
{
    private readonly ManualResetEventSlim entered = new();
    private readonly ManualResetEventSlim leave = new();
    private int calls;

    public void Dispose()
    {
        entered.Dispose();
        leave.Dispose();
    }

    [Fact]
    public async Task States_are_loaded_while_the_model_is_busy_with_the_batch_ahead()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await BusyAsync(infrastructure, "u1");
        var reads = worker.Meters.Sum(MetricNames.RedisReadDuration);
        await infrastructure.PublishAsync(Records.Watch("u2", "film-1", DateTimeOffset.UtcNow, "e2"));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.RedisReadDuration) > reads, "u2 is loaded");
        Assert.Null(await infrastructure.UserAsync("u1"));
        leave.Set();
        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync("u2", "home"))?.TriggerEventId));
        Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
    }

    [Fact]
    public async Task A_user_of_the_batch_ahead_is_read_when_that_is_written()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await BusyAsync(infrastructure, "u1");
        await infrastructure.PublishAsync(Records.Watch("u1", "film-2", DateTimeOffset.UtcNow, "e2"));
        await infrastructure.PublishAsync(Records.Watch("u2", "film-2", DateTimeOffset.UtcNow, "e3"));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.BatchEvents) >= 2, "the next batch is gathered");
        leave.Set();
        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var user = await infrastructure.UserAsync("u1");
        Assert.True(user!.History.HasWatched("film-1") && user.History.HasWatched("film-2"));
        Assert.Equal(0, worker.Meters.Sum(MetricNames.StateConflicts));
    }

    [Fact]
    public async Task What_follows_a_batch_that_fails_is_not_committed()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        var hooks = new TestHooks { BeforeWrite = work => work[0].UserId == "u1" ? throw new SimulatedCrashException() : Task.CompletedTask };
        await using var worker = await BusyAsync(infrastructure, "u1", hooks);
        var last = await infrastructure.PublishAsync(Records.Watch("u2", "film-1", DateTimeOffset.UtcNow, "e2"));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.BatchEvents) >= 2, "the next batch is gathered");
        leave.Set();
        await worker.CrashedAsync();
        await worker.StopAsync();
        Assert.Null(await infrastructure.UserAsync("u2"));
        Assert.True(await infrastructure.CommittedAsync(last.TopicPartition) <= last.Offset.Value - 1, "nothing of either is committed");
    }

    /// <summary>A worker whose model is busy with the first event.</summary>
    private async Task<RunningWorker> BusyAsync(Infrastructure infrastructure, string userId, TestHooks? hooks = null)
    {
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests[0].UserId == userId && Interlocked.Increment(ref calls) == 1)
                {
                    entered.Set();
                    leave.Wait(TimeSpan.FromSeconds(30));
                }
            },
        };
        var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model), hooks);
        await infrastructure.PublishAsync(Records.Watch(userId, "film-1", DateTimeOffset.UtcNow, "e1"));
        await Eventually.TrueAsync(() => entered.IsSet, "the model is busy");
        return worker;
    }
}
