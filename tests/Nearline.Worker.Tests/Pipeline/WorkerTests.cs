using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Refresh.V1;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Behaviours;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>One worker on a healthy Kafka and Redis; each test has a user of its own.</summary>
public sealed class WorkerTests(WorkerTests.Fixture fixture) : IClassFixture<WorkerTests.Fixture>
{
    private static int users;

    private readonly string user = $"user-{Interlocked.Increment(ref users)}";
    private readonly Infrastructure infrastructure = fixture.Infrastructure;
    private readonly RunningWorker worker = fixture.Worker;

    [Fact]
    public async Task Events_become_sets_of_every_scenario_without_watched_shows_and_are_committed()
    {
        var applied = Counted(MetricNames.Events, ("action", "watch"), ("outcome", "applied"));
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await infrastructure.PublishAsync(Watch(user, "film-2", "e2"));
        var last = await infrastructure.PublishAsync(Event(user, "e3", e => e.Save = new Save { ShowId = "film-3" }));

        await Eventually.PassAsync(async () => Assert.Equal("e3", (await infrastructure.SetAsync(user, "kids"))?.TriggerEventId));

        foreach (var scenario in new[] { "home", "kids" })
        {
            var set = (await infrastructure.SetAsync(user, scenario))!;
            Assert.Equal(FakeRetriever.Shows.Length - 2, set.ShowIds.Count);
            Assert.DoesNotContain("film-1", set.ShowIds);
            Assert.DoesNotContain("film-2", set.ShowIds);
            Assert.Contains("film-3", set.ShowIds);
            Assert.Equal("m1", set.ModelVersion);
            Assert.Equal(set.ShowIds.Count, set.Categories.Length);
            Assert.Equal(set.Scores.OrderDescending(), set.Scores);
        }

        var watched = WatchedShows.Parser.ParseFrom((byte[])(await infrastructure.Database.StringGetAsync(RedisKeys.Watched(user)))!);
        Assert.Equal(new[] { StableHash.Of("film-1"), StableHash.Of("film-2") }.Order(), watched.Hashes);
        await infrastructure.CommittedPastAsync(last);
        Assert.Equal(2, applied());
        Assert.True(worker.Meters.Sum(MetricNames.SetsWritten, ("scenario", "home")) >= 1);
    }

    [Fact]
    public async Task What_an_event_spends_in_each_stage_adds_up_to_its_way()
    {
        var last = await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await infrastructure.CommittedPastAsync(last);

        // Other tests' events are in both sums as well, a batch in work perhaps in one of them yet.
        await Eventually.PassAsync(() =>
        {
            var whole = worker.Meters.Sum(MetricNames.EventToServable);
            var stages = worker.Meters.Sum(MetricNames.StageDuration);
            Assert.InRange(stages / whole, 0.999, 1.001);
            foreach (var stage in new[] { StageNames.Arrive, StageNames.Gather, StageNames.Load, StageNames.Write })
            {
                Assert.True(worker.Meters.Sum(MetricNames.StageDuration, ("stage", stage)) > 0, stage);
            }

            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Fallback_lists_and_the_directory_of_scenarios_are_there()
    {
        await Eventually.TrueAsync(
            async () => await infrastructure.Database.KeyExistsAsync(RedisKeys.Scenarios), "the directory of scenarios");

        var directory = ScenarioDirectory.Parser.ParseFrom((byte[])(await infrastructure.Database.StringGetAsync(RedisKeys.Scenarios))!);
        Assert.Equal(["home", "kids"], directory.Scenarios);
        Assert.Equal("m1", directory.ModelVersion);
        foreach (var key in new[] { RedisKeys.Popular, RedisKeys.PopularIn("home"), RedisKeys.PopularIn("kids") })
        {
            var list = RetrievalSet.Parser.ParseFrom((byte[])(await infrastructure.Database.StringGetAsync(key))!);
            Assert.Equal(FakeRetriever.Shows.Length, list.ShowIds.Count);
            Assert.Null(await infrastructure.Database.KeyTimeToLiveAsync(key));
        }
    }

    [Fact]
    public async Task Poison_is_dead_lettered_with_all_it_had_and_its_partition_goes_on()
    {
        var lettersWithoutAction = Counted(MetricNames.DeadLetters, ("reason", "action"));
        var deadLettered = Counted(MetricNames.Events, ("outcome", "dead_lettered"));
        var truncated = Watch(user, "film-1", "t").ToByteArray()[..^2];
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        var at = await infrastructure.PublishAsync(KafkaTopics.UserEvents, user, truncated, ("ce_id", "t"), ("x-tenant", "blue"));
        await infrastructure.PublishAsync(KafkaTopics.UserEvents, user, Encoding.UTF8.GetBytes("{\"watch\":{\"showId\":\"film-2\"}}"), ("content-type", "application/json"));
        await infrastructure.PublishAsync(KafkaTopics.UserEvents, user, [.. new UserEvent { UserId = user }.ToByteArray(), 0x9A, 0x06, 0x00]);
        var last = await infrastructure.PublishAsync(Watch(user, "film-4", "e2"));

        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));
        var letters = await infrastructure.DeadLettersAsync(user, 3);

        var first = letters.Single(l => l.Value.AsSpan().SequenceEqual(truncated));
        Assert.Equal("t", Header(first, "ce_id"));
        Assert.Equal("blue", Header(first, "x-tenant"));
        Assert.StartsWith("value: ", Header(first, KafkaHeaders.Error), StringComparison.Ordinal);
        Assert.Equal($"{KafkaTopics.UserEvents}/{at.Partition.Value}/{at.Offset.Value}", Header(first, KafkaHeaders.Origin));
        Assert.Equal("1", Header(first, KafkaHeaders.Attempts));
        Assert.Equal(["action", "user_id", "value"], letters.Select(l => Header(l, KafkaHeaders.Error).Split(':')[0]).Order());
        await infrastructure.CommittedPastAsync(last);
        Assert.Equal((1, 3), (lettersWithoutAction(), deadLettered()));
    }

    [Fact]
    public async Task Unknown_show_is_counted_and_kept()
    {
        var unknown = Counted(MetricNames.UnknownShows, ("action", "watch"));
        await infrastructure.PublishAsync(Watch(user, "brand-new", "e1"));

        await Eventually.PassAsync(async () => Assert.Equal("e1", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));

        Assert.Equal("brand-new", Assert.Single((await infrastructure.UserAsync(user))!.History.Behaviours).ShowId);
        await Eventually.TrueAsync(() => unknown() == 1, "one unknown show");
    }

    [Fact]
    public async Task Impression_updates_the_state_but_renews_nothing()
    {
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "home")));
        var before = await infrastructure.SetAsync(user, "home");
        await infrastructure.PublishAsync(Event(user, "e2", e => e.Impression = new Impression { ShowId = "film-2" }));

        await Eventually.PassAsync(async () => Assert.Equal(2UL, (await infrastructure.UserAsync(user))!.Revision));

        Assert.Equal(before, await infrastructure.SetAsync(user, "home"));
        Assert.Equal(2, (await infrastructure.UserAsync(user))!.Recent.Identities.Count);
    }

    [Fact]
    public async Task Resent_event_counts_once()
    {
        var duplicates = Counted(MetricNames.Events, ("action", "watch"), ("outcome", "duplicate"));
        for (var i = 0; i < 3; i++)
        {
            await infrastructure.PublishAsync(Watch(user, "film-1", "same"));
        }

        await infrastructure.PublishAsync(
            new UserEvent { UserId = user, Watch = new Watch { ShowId = "film-1", Played = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) } },
            ("ce_id", "same"),
            ("ce_source", "test"));
        await infrastructure.PublishAsync(Event(user, "last", e => e.Login = new Login()));

        await Eventually.PassAsync(async () => Assert.Equal("last", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));

        Assert.Equal(1800, Assert.Single((await infrastructure.UserAsync(user))!.History.Behaviours).PlayedSeconds);
        await Eventually.TrueAsync(() => duplicates() == 3, "three duplicates counted");
    }

    [Fact]
    public async Task Deleted_user_leaves_no_set_and_older_events_do_not_bring_the_user_back()
    {
        var stale = Counted(MetricNames.Events, ("outcome", "stale_deleted"));
        var time = DateTimeOffset.UtcNow.AddMinutes(-30);
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1", time));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "kids")));
        await infrastructure.PublishAsync(Event(user, "e2", e => e.DeleteUser = new DeleteUser(), time.AddMinutes(10)));
        await infrastructure.PublishAsync(Watch(user, "film-2", "e3", time.AddMinutes(5)));

        await Eventually.TrueAsync(() => stale() == 1, "the late event is known as stale");

        Assert.Null(await infrastructure.SetAsync(user, "home"));
        Assert.Null(await infrastructure.SetAsync(user, "kids"));
        Assert.False(await infrastructure.Database.KeyExistsAsync(RedisKeys.Watched(user)));
        Assert.True((await infrastructure.UserAsync(user))!.IsDeleted);

        await infrastructure.PublishAsync(Watch(user, "film-3", "e4", time.AddMinutes(20)));
        await Eventually.PassAsync(async () => Assert.Equal("e4", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));
        Assert.Equal("film-3", Assert.Single((await infrastructure.UserAsync(user))!.History.Behaviours).ShowId);
    }

    [Fact]
    public async Task Deletion_that_arrives_late_leaves_sets_of_what_is_newer()
    {
        var time = DateTimeOffset.UtcNow.AddMinutes(-30);
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1", time));
        await infrastructure.PublishAsync(Watch(user, "film-2", "e2", time.AddMinutes(20)));
        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId));
        await infrastructure.PublishAsync(Event(user, "e3", e => e.DeleteUser = new DeleteUser(), time.AddMinutes(10)));

        await Eventually.PassAsync(async () =>
        {
            var shows = (await infrastructure.SetAsync(user, "home"))!.ShowIds;
            Assert.Contains("film-1", shows);
            Assert.DoesNotContain("film-2", shows);
        });
        Assert.Equal("film-2", Assert.Single((await infrastructure.UserAsync(user))!.History.Behaviours).ShowId);
    }

    [Fact]
    public async Task Scenarios_that_the_user_leaves_lose_their_sets()
    {
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "kids")));

        await infrastructure.PublishAsync(Event(user, "e2", e => e.ProfileUpdate = new ProfileUpdate { Scenarios = { "home" } }));

        await Eventually.PassAsync(async () =>
        {
            Assert.Equal("e2", (await infrastructure.SetAsync(user, "home"))?.TriggerEventId);
            Assert.Null(await infrastructure.SetAsync(user, "kids"));
        });
    }

    [Fact]
    public async Task Refresh_rebuilds_from_the_state_and_skips_strangers()
    {
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "home")));
        await infrastructure.Database.KeyDeleteAsync(RedisKeys.Set(user, "home"));
        var strangers = Counted(MetricNames.Refreshes, ("outcome", "no_state"));
        await infrastructure.PublishAsync(KafkaTopics.Refresh, "stranger", new RefreshRequest { UserId = "stranger" }.ToByteArray());
        var last = await infrastructure.PublishAsync(KafkaTopics.Refresh, user, new RefreshRequest { UserId = user, Reason = RefreshReason.Miss }.ToByteArray());

        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "home")));

        var set = (await infrastructure.SetAsync(user, "home"))!;
        Assert.Equal("", set.TriggerEventId);
        Assert.DoesNotContain("film-1", set.ShowIds);
        Assert.Null(await infrastructure.UserAsync("stranger"));
        await Eventually.TrueAsync(() => strangers() == 1, "stranger counted");
        await infrastructure.CommittedPastAsync(last);
    }

    [Fact]
    public async Task Unreadable_state_is_left_alone_and_its_events_are_dead_lettered()
    {
        await infrastructure.Database.StringSetAsync(RedisKeys.State(user), new UserState { Revision = 9, Schema = 99, UserId = user }.ToByteArray());
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await infrastructure.PublishAsync(Watch(user + "-friend", "film-1", "e2"));

        var letter = Assert.Single(await infrastructure.DeadLettersAsync(user, 1));

        Assert.Contains("schema 99", Header(letter, KafkaHeaders.Error), StringComparison.Ordinal);
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user + "-friend", "home")));
        Assert.Equal(99U, UserState.Parser.ParseFrom((byte[])(await infrastructure.Database.StringGetAsync(RedisKeys.State(user)))!).Schema);
    }

    [Fact]
    public async Task Batch_is_traced_with_links_to_the_producers_traces()
    {
        const string TraceId = "1af7651916cd43dd8448eb211c80319d";
        var linked = new TaskCompletionSource<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MetricNames.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.Links.Any(l => l.Context.TraceId.ToHexString() == TraceId))
                {
                    linked.TrySetResult(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"), ("traceparent", $"00-{TraceId}-b7ad6b7169203331-01"));

        var batch = await linked.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(ActivityKind.Consumer, batch.Kind);
        Assert.Equal("kafka", batch.GetTagItem(MetricNames.MessagingSystem));
    }

    [Fact]
    public async Task Metrics_and_health_are_served()
    {
        await infrastructure.PublishAsync(Watch(user, "film-1", "e1"));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync(user, "home")));

        // Gauges only by their own meter, below: a process of several workers, as here, exports one under a shared name.
        await Eventually.PassAsync(async () =>
        {
            var (_, metrics) = await worker.GetAsync("/metrics");
            Assert.Contains("nearline_worker_event_to_servable_duration_seconds_bucket", metrics, StringComparison.Ordinal);
        });
        var (status, body) = await worker.GetAsync("/healthz/ready");
        Assert.Equal(200, status);
        foreach (var check in new[] { "model", "kafka", "pipeline", "redis" })
        {
            Assert.Contains($"\"{check}\"", body, StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(
            () => worker.Meters.Gauge(MetricNames.ConsumerLag) == 0 && worker.Meters.Gauge(MetricNames.PollAge) < 5, "no lag, recent poll");
    }

    private static string Header(Confluent.Kafka.Message<byte[]?, byte[]?> message, string name) =>
        Encoding.UTF8.GetString(message.Headers.GetLastBytes(name));

    private static UserEvent Event(string userId, string id, Action<UserEvent> action, DateTimeOffset? time = null) =>
        Records.Event(userId, action, time ?? DateTimeOffset.UtcNow, id);

    private static UserEvent Watch(string userId, string showId, string id, DateTimeOffset? time = null) =>
        Records.Watch(userId, showId, time ?? DateTimeOffset.UtcNow, id);

    /// <summary>What the counter has counted since now.</summary>
    private Func<double> Counted(string instrument, params (string Name, string Value)[] tags)
    {
        var before = worker.Meters.Sum(instrument, tags);
        return () => worker.Meters.Sum(instrument, tags) - before;
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal Infrastructure Infrastructure { get; private set; } = null!;

        internal RunningWorker Worker { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Infrastructure = await Infrastructure.StartAsync();
            Worker = await RunningWorker.StartAsync(Infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")));
            await Worker.ReadyAsync();
        }

        public async Task DisposeAsync()
        {
            await Worker.DisposeAsync();
            await Infrastructure.DisposeAsync();
        }
    }
}
