using System.Diagnostics;
using Confluent.Kafka;
using Nearline.Contracts.Events.V1;
using Nearline.Worker.Kafka;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>A user's sets are not made more often than asked for, and never left older than the state.</summary>
public sealed class DebounceTests
{
    [Fact]
    public async Task Burst_changes_the_state_at_once_and_the_sets_twice()
    {
        const double Window = 3;
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await StartAsync(infrastructure, $"00:00:0{Window}");
        var time = DateTimeOffset.UtcNow;
        await infrastructure.PublishAsync(Records.Watch("u1", "film-0", time, "e0"));
        await Eventually.PassAsync(async () => Assert.Equal("e0", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var since = Stopwatch.StartNew();
        TopicPartitionOffset last = null!;
        for (var i = 1; i <= 8; i++)
        {
            last = await infrastructure.PublishAsync(Records.Watch("u1", $"film-{i}", time.AddMilliseconds(i), $"e{i}"));
            await Eventually.TrueAsync(async () => (await infrastructure.UserAsync("u1"))!.History.HasWatched($"film-{i}"), $"e{i} is in the state");
        }

        // None of these conditions hangs on the machine's speed unless eight events take longer than the window.
        if (since.Elapsed.TotalSeconds < Window - 1)
        {
            Assert.Equal("e0", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
            Assert.True(await infrastructure.CommittedAsync(last.TopicPartition) <= last.Offset.Value, "the last event is the reminder");
            Assert.Equal(1, worker.Meters.Gauge(MetricNames.SetsWaiting));
        }

        await Eventually.PassAsync(async () => Assert.Equal("e8", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var set = await infrastructure.SetAsync("u1", "home");
        Assert.DoesNotContain(set!.ShowIds, id => Enumerable.Range(0, 9).Any(i => id == $"film-{i}"));
        await infrastructure.CommittedPastAsync(last);
        Assert.InRange(worker.Meters.Sum(MetricNames.SetsWritten, ("scenario", "home")), 2, 2 + Math.Floor(since.Elapsed.TotalSeconds / Window));
        Assert.Null((await infrastructure.UserAsync("u1"))!.Pending);
        Assert.Equal(0, worker.Meters.Gauge(MetricNames.SetsWaiting));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sets_that_wait_are_made_by_the_next_owner_of_the_partition(bool isCrash)
    {
        await using var infrastructure = await Infrastructure.StartAsync(4);
        var users = Enumerable.Range(0, 12).Select(i => $"u{i}").ToList();
        var hooks = new TestHooks();
        await using var first = await StartAsync(infrastructure, "00:10:00", hooks);
        await PublishAsync("film-1", "e1");
        await AllHaveAsync("e1");
        var last = await PublishAsync("film-2", "e2");
        await Eventually.PassAsync(async () => Assert.All(
            await Task.WhenAll(users.Select(infrastructure.UserAsync)), u => Assert.Equal("e2", u?.Pending?.Trigger.EventId)));
        Assert.All(await Task.WhenAll(users.Select(u => infrastructure.SetAsync(u, "home"))), s => Assert.Equal("e1", s?.TriggerEventId));
        if (isCrash)
        {
            hooks.BeforeWrite = _ => throw new SimulatedCrashException();
            await infrastructure.PublishAsync(Records.Watch("someone", "film-3", DateTimeOffset.UtcNow, "e3"));
            await first.CrashedAsync();
        }

        await using var second = await StartAsync(infrastructure, "00:00:00");
        if (!isCrash)
        {
            await Eventually.TrueAsync(() => second.AssignedPartitions >= 2, "the second has partitions");
        }

        await first.StopAsync();
        await AllHaveAsync("e2");
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        Assert.All(await Task.WhenAll(users.Select(infrastructure.UserAsync)), u =>
        {
            Assert.Null(u!.Pending);
            Assert.Equal(2UL, u.History.NextOrder);
        });

        async Task<List<TopicPartitionOffset>> PublishAsync(string show, string id)
        {
            var published = new List<TopicPartitionOffset>();
            foreach (var user in users)
            {
                published.Add(await infrastructure.PublishAsync(Records.Watch(user, show, DateTimeOffset.UtcNow, id)));
            }

            return published;
        }

        Task AllHaveAsync(string trigger) => Eventually.PassAsync(async () => Assert.All(
            await Task.WhenAll(users.Select(u => infrastructure.SetAsync(u, "home"))), s => Assert.Equal(trigger, s?.TriggerEventId)));
    }

    [Fact]
    public async Task A_request_and_a_deletion_do_not_wait()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await StartAsync(infrastructure, "00:10:00");
        var time = DateTimeOffset.UtcNow;
        foreach (var user in new[] { "u1", "u2" })
        {
            await infrastructure.PublishAsync(Records.Watch(user, "film-1", time, "e1"));
            await Eventually.PassAsync(async () => Assert.Equal("e1", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));
            await infrastructure.PublishAsync(Records.Watch(user, "film-2", time.AddSeconds(1), "e2"));
            await Eventually.PassAsync(async () => Assert.NotNull((await infrastructure.UserAsync(user))?.Pending));
        }

        await infrastructure.RefreshAsync("u1");
        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var last = await infrastructure.PublishAsync(Records.Event("u2", e => e.DeleteUser = new DeleteUser(), time.AddSeconds(2), "e3"));
        await Eventually.PassAsync(async () => Assert.Null(await infrastructure.SetAsync("u2", "home")));
        await infrastructure.CommittedPastAsync(last);
        Assert.True((await infrastructure.UserAsync("u2"))!.IsDeleted);
    }

    [Fact]
    public async Task A_glance_changes_the_state_and_renews_nothing_until_the_show_counts_as_watched()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await StartAsync(infrastructure, "00:00:00");
        var time = DateTimeOffset.UtcNow.AddMinutes(-10);
        await infrastructure.PublishAsync(Records.Event("u1", e => e.Login = new Login(), time, "e1"));
        await Eventually.PassAsync(async () => Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        var glance = await infrastructure.PublishAsync(Records.Watch("u1", "film-1", time.AddMinutes(1), "e2", minutes: 1.9));
        await infrastructure.CommittedPastAsync(glance);
        Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
        Assert.Equal(1.9 * 60, Assert.Single((await infrastructure.UserAsync("u1"))!.History.Behaviours).PlayedSeconds, 3);

        await infrastructure.PublishAsync(Records.Watch("u1", "film-1", time.AddMinutes(2), "e3", minutes: 0.2));
        await Eventually.PassAsync(async () => Assert.Equal("e3", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        glance = await infrastructure.PublishAsync(Records.Watch("u1", "film-1", time.AddMinutes(3), "e4", minutes: 0.2));
        await infrastructure.CommittedPastAsync(glance);
        Assert.Equal("e3", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
        await infrastructure.PublishAsync(Records.Watch("u1", "film-2", time.AddMinutes(4), "e5", minutes: 2));
        await Eventually.PassAsync(async () => Assert.Equal("e5", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
    }

    [Fact]
    public void Held_record_is_not_committed_before_it_is_let_go_as_often_as_it_was_held()
    {
        var lease = new PartitionLease(new TopicPartition("t", 0));
        Assert.Equal(-1, lease.Committable);
        lease.Hold(7);
        lease.Hold(7);
        lease.Hold(5);
        lease.Done(6, 2);
        Assert.Equal(5, lease.Committable);
        lease.LetGo(5);
        Assert.Equal(6, lease.Committable);
        lease.Done(10, 4);
        Assert.Equal((7, 10), (lease.Committable, lease.Processed));
        lease.LetGo(7);
        Assert.Equal(7, lease.Committable);
        lease.LetGo(7);
        Assert.Equal(10, lease.Committable);
    }

    private static Task<RunningWorker> StartAsync(Infrastructure infrastructure, string debounce, TestHooks? hooks = null) => RunningWorker.StartAsync(
        infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), hooks, $"--Worker:Debounce={debounce}");
}
