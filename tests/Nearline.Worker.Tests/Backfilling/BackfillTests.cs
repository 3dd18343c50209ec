using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Refresh.V1;
using Nearline.Contracts.Storage.V1;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Backfilling;

/// <summary>All users' sets are made again, behind everything else.</summary>
public sealed class BackfillTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.UtcNow.AddMinutes(-5);

    [Fact]
    public async Task New_model_reaches_every_user_once_and_the_next_start_asks_for_nobody()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var source = new FakeRetrieverSource().Activate(new FakeRetriever("m1"));
        await using var worker = await StartAsync(infrastructure, source, "--Worker:BackfillOnModel=true", "--Worker:BackfillRate=100000");
        var users = await WithSetsAsync(infrastructure, "m1", 60);
        await FinishedAsync(infrastructure, "m1");
        Assert.Equal(0, worker.Meters.Sum(MetricNames.Refreshes, ("outcome", "rebuilt")));

        source.Activate(new FakeRetriever("m2"));
        await FinishedAsync(infrastructure, "m2");

        Assert.All(await Task.WhenAll(users.Select(u => infrastructure.SetAsync(u, "kids"))), s => Assert.Equal("m2", s?.ModelVersion));
        Assert.Equal(60, worker.Meters.Sum(MetricNames.Refreshes, ("outcome", "rebuilt")));
        await worker.StopAsync();
        await using var next = await StartAsync(infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m2")), "--Worker:BackfillOnModel=true");
        await next.ReadyAsync();

        // An operator's backfill is processed after what the start might have begun.
        await DoneAsync(infrastructure, await BeginAsync(infrastructure, new BackfillJob { OnlyOutdated = true }));
        Assert.Equal(60, next.Meters.Sum(MetricNames.BackfillRequests));
        Assert.Equal(60, next.Meters.Sum(MetricNames.Refreshes, ("outcome", "current")));
        Assert.Equal(0, next.Meters.Sum(MetricNames.SetsWritten));
    }

    [Fact]
    public async Task Live_event_passes_the_requests_that_wait()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        using var goOn = new SemaphoreSlim(0);
        var isBackfill = false;
        var seen = new List<string[]>();
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (Volatile.Read(ref isBackfill) && requests[0].UserId.Length > 0)
                {
                    lock (seen)
                    {
                        seen.Add([.. requests.Select(r => r.UserId)]);
                    }

                    Assert.True(goOn.Wait(TimeSpan.FromSeconds(60)));
                }
            },
        };
        await using var worker = await StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(model), "--Worker:BackfillBatch=4", "--Worker:Debounce=00:00:00");
        var users = await WithSetsAsync(infrastructure, "m1", 40);
        Volatile.Write(ref isBackfill, true);
        TopicRecord last = default;
        foreach (var user in users)
        {
            last = new(await infrastructure.RefreshAsync(user, RefreshReason.Backfill));
        }

        await Eventually.TrueAsync(() => Seen() == 1 && worker.Meters.Sum(MetricNames.ConsumedMessages) >= 80, "the model is at the first of them, all were received");
        await infrastructure.PublishAsync(Records.Watch("live", "film-3", Time, "live"));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.ConsumedMessages) >= 81, "the event was received");
        Assert.True(await infrastructure.CommittedAsync(last.At.TopicPartition) <= last.At.Offset.Value, "what waits is not committed");
        for (var i = 0; Seen() == 1 || seen[^1][0] != "live"; i++)
        {
            Assert.InRange(i, 0, 2);
            var before = Seen();
            goOn.Release();
            await Eventually.TrueAsync(() => Seen() > before, "the next batch");
        }

        Volatile.Write(ref isBackfill, false);
        goOn.Release(100);
        await infrastructure.CommittedPastAsync(last.At);
        Assert.Equal(40, worker.Meters.Sum(MetricNames.Refreshes, ("reason", "Backfill"), ("outcome", "rebuilt")));

        int Seen()
        {
            lock (seen)
            {
                return seen.Count;
            }
        }
    }

    [Fact]
    public async Task Crash_goes_on_where_it_stood_at_no_more_than_the_rate_and_means_only_users_of_the_scenario()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        await using (var first = await StartAsync(infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1"))))
        {
            await WithSetsAsync(infrastructure, "m1", 90);
            for (var i = 0; i < 30; i++)
            {
                await infrastructure.PublishAsync(Records.Event(
                    $"u{i}", e => e.ProfileUpdate = new ProfileUpdate { Scenarios = { "home" } }, Time.AddSeconds(1), "p"));
            }

            await Eventually.PassAsync(async () => Assert.Null(await infrastructure.SetAsync("u29", "kids")));
            var slow = await BeginAsync(infrastructure, new BackfillJob { Scenario = "kids", Rate = 20 });
            await Eventually.PassAsync(async () => Assert.True((await ProgressAsync(infrastructure)).RequestedUsers >= 10));
            Assert.Equal(slow, (await ProgressAsync(infrastructure)).JobId);
        }

        var before = await ProgressAsync(infrastructure);
        Assert.Null(before.FinishedAt);
        await using var second = await StartAsync(infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")));
        await DoneAsync(infrastructure, before.JobId);

        var after = await ProgressAsync(infrastructure);
        Assert.True(after.FinishedAt.ToDateTimeOffset() - after.StartedAt.ToDateTimeOffset() >= TimeSpan.FromSeconds((after.RequestedUsers - 40) / 20.0), "at most 20 users/s");
        Assert.InRange(second.Meters.Sum(MetricNames.BackfillRequests), 1, 90 - before.RequestedUsers + 20);
        Assert.InRange(after.RequestedUsers, 90, 110);
        Assert.True(second.Meters.Sum(MetricNames.Refreshes, ("outcome", "other_scenario")) > 0, "users of home only are passed by");
        Assert.Null(await infrastructure.SetAsync("u29", "kids"));
    }

    [Fact]
    public async Task Request_waits_for_the_model_that_it_wants_and_a_cancelled_job_ends()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var source = new FakeRetrieverSource().Activate(new FakeRetriever("m1"));
        await using var worker = await StartAsync(infrastructure, source);
        await WithSetsAsync(infrastructure, "m1", 1);
        var request = new RefreshRequest
        {
            UserId = "u0",
            Reason = RefreshReason.Backfill,
            Backfill = new BackfillScope { OnlyOutdated = true, Plan = "m2" },
        };
        var waiting = await infrastructure.PublishAsync(KafkaTopics.Refresh, "u0", request.ToByteArray());
        var other = await infrastructure.PublishAsync(KafkaTopics.Refresh, "stranger", new RefreshRequest { UserId = "stranger", Reason = RefreshReason.Miss }.ToByteArray());
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.Refreshes, ("outcome", "no_state")) == 1, "what came after it is processed");
        Assert.True(await infrastructure.CommittedAsync(waiting.TopicPartition) <= waiting.Offset.Value, "the request waits");

        source.Activate(new FakeRetriever("m2"));
        await Eventually.PassAsync(async () => Assert.Equal("m2", (await infrastructure.SetAsync("u0", "home"))?.ModelVersion));
        await infrastructure.CommittedPastAsync(other);

        var id = await BeginAsync(infrastructure, new BackfillJob { Rate = 0.1, Cancelled = true });
        await DoneAsync(infrastructure, id);
        Assert.InRange((await ProgressAsync(infrastructure)).RequestedUsers, 0, 1);
    }

    private static Task<RunningWorker> StartAsync(Infrastructure infrastructure, FakeRetrieverSource source, params string[] arguments) =>
        RunningWorker.StartAsync(infrastructure, source, null, arguments);

    private static async Task<List<string>> WithSetsAsync(Infrastructure infrastructure, string model, int count)
    {
        var users = Enumerable.Range(0, count).Select(i => $"u{i}").ToList();
        foreach (var user in users)
        {
            await infrastructure.PublishAsync(Records.Watch(user, "film-1", Time, "e1"));
        }

        await Eventually.PassAsync(async () => Assert.All(
            await Task.WhenAll(users.Select(u => infrastructure.SetAsync(u, "home"))), s => Assert.Equal(model, s?.ModelVersion)));
        return users;
    }

    private static async Task<string> BeginAsync(Infrastructure infrastructure, BackfillJob job)
    {
        job.Id = Guid.NewGuid().ToString("N");
        job.Reason = BackfillReason.Operator;
        job.Rate = job.Rate > 0 ? job.Rate : 100_000;
        job.RequestedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow);
        await infrastructure.Database.StringSetAsync(RedisKeys.Backfill, job.ToByteArray());
        return job.Id;
    }

    private static async Task<BackfillProgress> ProgressAsync(Infrastructure infrastructure) =>
        await infrastructure.Database.StringGetAsync(RedisKeys.BackfillProgress) is { IsNull: false } value
            ? BackfillProgress.Parser.ParseFrom((byte[])value!)
            : new BackfillProgress();

    private static Task DoneAsync(Infrastructure infrastructure, string id) => Eventually.PassAsync(async () =>
    {
        var progress = await ProgressAsync(infrastructure);
        Assert.Equal(id, progress.JobId);
        Assert.NotNull(progress.FinishedAt);
    });

    private static Task FinishedAsync(Infrastructure infrastructure, string plan) => Eventually.PassAsync(async () =>
        Assert.Equal(plan, (await ProgressAsync(infrastructure)).CoveredPlan));

    private readonly record struct TopicRecord(Confluent.Kafka.TopicPartitionOffset At);
}
