using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class CrashTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Worker_that_dies_before_or_after_the_write_counts_nothing_twice(bool afterWrite)
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var random = new Random(afterWrite ? 5 : 6);
        var logs = Enumerable.Range(0, 5).Select(i => Lives.Log(random, $"u{i}", 20)).ToList();
        var last = await infrastructure.PublishAsync(random, logs);
        var batches = 0;
        var hooks = new TestHooks();
        Task Die() => ++batches > 2 ? throw new SimulatedCrashException() : Task.CompletedTask;
        if (afterWrite)
        {
            hooks.BeforeCommit = Die;
        }
        else
        {
            hooks.BeforeWrite = _ => Die();
        }

        // Small batches, so that it dies in the middle.
        await using (var first = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), hooks, "--Worker:BatchMaxEvents=12"))
        {
            await first.CrashedAsync();
        }

        var written = (await Task.WhenAll(logs.Select(l => infrastructure.UserAsync(l[0].UserId)))).Count(u => u is not null);
        Assert.True(written > 0, "some users were written");
        Assert.True((await Task.WhenAll(last.Select(l => infrastructure.CommittedAsync(l.TopicPartition)))).Sum() <= 24, "the batch is not committed");

        await using var second = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")));
        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        if (afterWrite)
        {
            Assert.True(second.Meters.Sum(MetricNames.Events, ("outcome", "duplicate")) >= 1, "the replay was recognised");
        }
    }

    [Fact]
    public async Task Stop_finishes_the_batch_in_work_and_commits_it()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests[0].UserId == "u1")
                {
                    entered.Set();
                    leave.Wait(TimeSpan.FromSeconds(20));
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        var record = await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow, "e1"));
        await Eventually.TrueAsync(() => entered.IsSet, "the batch is in work");
        var later = await infrastructure.PublishAsync(Records.Watch("u2", "film-1", DateTimeOffset.UtcNow, "e2"));

        var stop = worker.StopAsync();
        leave.Set();
        await stop;

        Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
        // Whether the stop came before the second batch is a race; that what is written is what is committed is not.
        var last = await infrastructure.UserAsync("u2") is null ? record : later;
        Assert.Equal(last.Offset.Value + 1, await infrastructure.CommittedAsync(record.TopicPartition));
        await worker.DisposeAsync();
        Assert.True(model.IsDisposed);
    }
}
