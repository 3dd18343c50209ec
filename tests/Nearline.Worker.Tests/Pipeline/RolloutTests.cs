using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Bundles;
using Nearline.Worker.Events;
using Nearline.Worker.Models;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>Canaries and experiments: who gets whose sets, from the first event to promotion or abortion.</summary>
public sealed class RolloutTests
{
    private static readonly string[] Users = [.. Enumerable.Range(0, 80).Select(i => $"u{i}")];

    [Fact]
    public async Task Canary_takes_its_share_grows_and_is_promoted_or_aborted_while_every_user_has_sets_and_states_stay()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var random = new Random(3);
        var logs = Users.Select(u => Lives.Log(random, u, 12, deletes: false)).ToList();
        var source = new FakeRetrieverSource().With("m1", "m2", "m3");
        source.Serve("m1");
        await using var worker = await StartAsync(infrastructure, source);
        await PublishAsync(0, 3);
        foreach (var user in Users)
        {
            // Of some there was nothing yet that renews sets.
            await infrastructure.RefreshAsync(user);
        }

        await ServedAsync(infrastructure, "m1");
        using var stop = new CancellationTokenSource();
        var watching = NobodyWithoutASetAsync(infrastructure, stop.Token);

        await ServeAsync("m1", new CanaryRelease("m2", 20));
        await PublishAsync(3, 6);
        Assert.Equal(0.2, worker.Meters.Gauge(MetricNames.ModelShare, ("version", "m2"), ("role", "canary")), 6);
        Assert.Equal(1, worker.Meters.Gauge(MetricNames.ModelInfo, ("version", "m1"), ("role", "active")));
        Assert.True(worker.Meters.Sum(MetricNames.SetsWritten, ("version", "m2")) > 0, "sets are counted by their model");
        await ServeAsync("m1", new CanaryRelease("m2", 60));
        await PublishAsync(6, 9);

        // Promoted, as RolloutStore does it: first the pointer moves, then the canary ends.
        await ServeAsync("m2", new CanaryRelease("m2", 60));
        await ServeAsync("m2", null);
        await ServeAsync("m2", new CanaryRelease("m3", 50));
        await PublishAsync(9, 12);

        // Aborted.
        await ServeAsync("m2", null);
        await stop.CancelAsync();
        await watching;
        await infrastructure.CountedOnceAsync(logs);

        async Task ServeAsync(string active, CanaryRelease? canary)
        {
            source.Serve(active, canary);
            await ServedAsync(infrastructure, active, canary);
        }

        async Task PublishAsync(int from, int to)
        {
            foreach (var record in await infrastructure.PublishAsync(random, logs.ConvertAll(l => l[from..to])))
            {
                await infrastructure.CommittedPastAsync(record);
            }
        }
    }

    [Fact]
    public async Task Experiments_have_sets_of_their_own_which_go_with_them()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var source = new FakeRetrieverSource().With("m1", "m2", "m3");
        source.Serve("m1", null, new Experiment("bold", "m2", 50), new Experiment("calm", "m3", 25));
        await using var worker = await StartAsync(infrastructure, source);
        foreach (var user in Users)
        {
            await infrastructure.PublishAsync(Records.Watch(user, "film-1", DateTimeOffset.UtcNow, "e1"));
        }

        await ExperimentsAsync();
        Assert.True(worker.Meters.Sum(MetricNames.SetsWritten, ("version", "m3"), ("variant", "calm"), ("scenario", "kids")) > 0, "counted by variant");

        // Another model for one, the end of the other; then the end of both.
        source.Serve("m1", null, new Experiment("bold", "m3", 60));
        await ExperimentsAsync();
        source.Serve("m1");
        await ExperimentsAsync();
        Assert.Empty(await KeysAsync(infrastructure, "nl:*:bold"));
        Assert.Empty(await KeysAsync(infrastructure, "nl:*:calm"));

        Task ExperimentsAsync()
        {
            var plan = new ServingPlan(source.ActiveVersion()!, source.Rollout());
            return Eventually.PassAsync(async () =>
            {
                foreach (var user in Users)
                {
                    Assert.Equal("m1", (await infrastructure.SetAsync(user, "home"))?.ModelVersion);
                    foreach (var name in new[] { "bold", "calm" })
                    {
                        var expected = plan.ExperimentsOf(user).FirstOrDefault(e => e.Name == name)?.Version;
                        var set = await infrastructure.SetAsync(user, "kids", name);
                        Assert.Equal(expected, set?.ModelVersion);
                        Assert.DoesNotContain("film-1", set?.ShowIds ?? []);
                    }
                }
            });
        }
    }

    [Fact]
    public async Task Tried_models_that_are_refused_or_fail_cost_nobody_the_default_sets()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var isBroken = false;
        var failing = new FakeRetriever("m2")
        {
            OnRetrieve = _ =>
            {
                if (Volatile.Read(ref isBroken))
                {
                    throw new InvalidOperationException("not a number");
                }
            },
        };
        var source = new FakeRetrieverSource().With("m1").With(failing);
        source.Serve("m1", new CanaryRelease("m2", 100), new Experiment("bold", "m2", 100), new Experiment("calm", "m9", 100));
        await using var worker = await StartAsync(infrastructure, source, "--Worker:BackfillOnModel=false");
        await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow, "e1"));
        await Eventually.PassAsync(async () => Assert.Equal("m2", (await infrastructure.SetAsync("u1", "home"))?.ModelVersion));
        Assert.Equal("m2", (await infrastructure.SetAsync("u1", "home", "bold"))?.ModelVersion);
        Assert.Null(await infrastructure.SetAsync("u1", "home", "calm"));
        Assert.Equal(1, worker.Meters.Sum(MetricNames.ModelLoads, ("outcome", "refused")));

        Volatile.Write(ref isBroken, true);
        var last = await infrastructure.PublishAsync(Records.Watch("u1", "film-2", DateTimeOffset.UtcNow, "e2"));
        await Eventually.PassAsync(async () => Assert.Equal("e2", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId));
        Assert.Equal("m1", (await infrastructure.SetAsync("u1", "home"))?.ModelVersion);
        Assert.Null(await infrastructure.SetAsync("u1", "home", "bold"));
        await infrastructure.CommittedPastAsync(last);
        Assert.Equal(0, worker.Meters.Sum(MetricNames.DeadLetters));
        await worker.ReadyAsync();
    }

    private static Task<RunningWorker> StartAsync(Infrastructure infrastructure, FakeRetrieverSource source, params string[] arguments) => RunningWorker.StartAsync(
        infrastructure, source, null, ["--Worker:BackfillOnModel=true", "--Worker:BackfillRate=100000", "--Worker:Debounce=00:00:00.050", .. arguments]);

    /// <summary>Waits until each user's sets are of the model that the plan says, by events and backfill.</summary>
    private static Task ServedAsync(Infrastructure infrastructure, string active, CanaryRelease? canary = null)
    {
        var plan = new ServingPlan(active, new Rollout(canary, []));
        return Eventually.PassAsync(async () =>
        {
            Assert.Equal(plan.Id, await CoveredAsync(infrastructure));
            foreach (var user in Users)
            {
                Assert.Equal(plan.VersionFor(user), (await infrastructure.SetAsync(user, "home"))?.ModelVersion);
            }
        });
    }

    private static async Task<string?> CoveredAsync(Infrastructure infrastructure) =>
        await infrastructure.Database.StringGetAsync(RedisKeys.BackfillProgress) is { IsNull: false } value
            ? BackfillProgress.Parser.ParseFrom((byte[])value!).CoveredPlan
            : null;

    private static async Task NobodyWithoutASetAsync(Infrastructure infrastructure, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Assert.All(await Task.WhenAll(Users.Select(u => infrastructure.SetAsync(u, "home"))), Assert.NotNull);
            await Task.Delay(5, CancellationToken.None);
        }
    }

    private static async Task<string[]> KeysAsync(Infrastructure infrastructure, string pattern) =>
        (string[])(await infrastructure.Database.ScriptEvaluateAsync("return redis.call('KEYS', ARGV[1])", [], [pattern]))!;
}
