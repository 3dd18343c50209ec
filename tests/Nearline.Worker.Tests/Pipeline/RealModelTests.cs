using Nearline.Contracts.Storage.V1;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Serving;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>The worker with bundles on disk and M5 itself, with random weights.</summary>
public sealed class RealModelTests : IDisposable
{
    private readonly string models = Directory.CreateTempSubdirectory("nearline-models-").FullName;

    public void Dispose() => Directory.Delete(models, recursive: true);

    [Fact]
    public async Task Sets_are_those_of_the_active_bundle_and_follow_its_pointer()
    {
        var store = new BundleStore(models);
        var dataset = World();
        M5Bundle.WriteUntrained(dataset, M5Config.Small, models, seed: 1, version: "v1");
        M5Bundle.WriteUntrained(dataset, M5Config.Small, models, seed: 2, version: "v2");
        var damaged = M5Bundle.WriteUntrained(dataset, M5Config.Small, models, seed: 3, version: "v3");
        store.Activate("v1");
        await using var infrastructure = await Infrastructure.StartAsync();
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, null, null, $"--Worker:ModelsDirectory={models}", "--Worker:Device=cpu", "--Worker:Threads=1", "--Worker:SetSize=10");
        var log = new List<UserAction>();
        async Task WatchAsync(int show)
        {
            var time = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
            log.Add(new UserAction(ActionKind.Watch, time) { ShowId = $"s{show}", Played = TimeSpan.FromMinutes(30) });
            await infrastructure.PublishAsync(Records.Watch("u1", $"s{show}", time, $"e{show}"));
            await Eventually.PassAsync(async () => Assert.Equal($"e{show}", (await infrastructure.SetAsync("u1", "all"))?.TriggerEventId));
        }

        await WatchAsync(3);
        await WatchAsync(17);
        await SameAsModelAsync(infrastructure, store, "v1", log);

        store.Activate("v2");
        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.ModelInfo, ("version", "v2")) == 1, "v2 is active");
        Assert.Equal(1, worker.Meters.Gauge(MetricNames.IndexInfo, ("backend", "exact-cpu"), ("dimension", $"{2 * M5Config.Small.Width}")));
        Assert.Equal(dataset.Shows.Count, worker.Meters.Gauge(MetricNames.IndexRows));
        Assert.True(worker.Meters.Gauge(MetricNames.IndexMemory) > 4 * dataset.Shows.Count * 2 * M5Config.Small.Width);
        Assert.InRange(worker.Meters.Gauge(MetricNames.IndexMeasured, ("backend", "exact-cpu")), 1e-9, 1);
        await WatchAsync(18);
        await SameAsModelAsync(infrastructure, store, "v2", log);

        var weights = Directory.EnumerateFiles(damaged.Path, "weights*").Single();
        var bytes = await File.ReadAllBytesAsync(weights);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(weights, bytes);
        await File.WriteAllTextAsync(Path.Combine(models, "active"), "v3\n");
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.ModelLoads, ("outcome", "refused")) >= 1, "v3 is refused");
        await WatchAsync(19);
        await SameAsModelAsync(infrastructure, store, "v2", log);
    }

    [Fact]
    public async Task Batch_of_two_bundles_and_an_experiment_is_that_of_each_bundle_alone()
    {
        var store = new BundleStore(models);
        var dataset = World();
        foreach (var seed in new[] { 1, 2 })
        {
            M5Bundle.WriteUntrained(dataset, M5Config.Small, models, seed, version: $"v{seed}");
        }

        store.Activate("v1");
        var rollouts = new RolloutStore(store);
        rollouts.SetCanary("v2", 50);
        rollouts.SetExperiment("bold", "v2", 100);
        await using var infrastructure = await Infrastructure.StartAsync(1);
        var time = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var users = Enumerable.Range(0, 16).Select(i => $"u{i}").ToList();
        Confluent.Kafka.TopicPartitionOffset last = null!;
        for (var i = 0; i < users.Count; i++)
        {
            last = await infrastructure.PublishAsync(Records.Watch(users[i], $"s{i}", time, "e1"));
        }

        // The events wait before it starts, so that batches have users of both.
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, null, null, $"--Worker:ModelsDirectory={models}", "--Worker:Device=cpu", "--Worker:Threads=1", "--Worker:SetSize=10");
        await infrastructure.CommittedPastAsync(last);
        var plan = new Worker.Models.ServingPlan("v1", rollouts.Read());
        Assert.InRange(users.Count(u => plan.VersionFor(u) == "v2"), 1, users.Count - 1);
        using var first = M5Retriever.Load(store.Open("v1"), "cpu");
        using var second = M5Retriever.Load(store.Open("v2"), "cpu");
        for (var i = 0; i < users.Count; i++)
        {
            var history = new UserHistory();
            history.Apply(new UserAction(ActionKind.Watch, time) { ShowId = $"s{i}", Played = TimeSpan.FromMinutes(30) });
            var request = new RetrievalRequest(users[i], history, time);
            var version = plan.VersionFor(users[i]);
            foreach (var (scenario, shows) in (version == "v1" ? first : second).Retrieve([request], 10).Users[0])
            {
                var set = await infrastructure.SetAsync(users[i], scenario);
                Assert.Equal(version, set?.ModelVersion);
                Assert.Equal(shows.Select(s => s.ShowId), set!.ShowIds);
            }

            foreach (var (scenario, shows) in second.Retrieve([request], 10).Users[0])
            {
                var set = await infrastructure.SetAsync(users[i], scenario, "bold");
                Assert.Equal("v2", set?.ModelVersion);
                Assert.Equal(shows.Select(s => s.ShowId), set!.ShowIds);
            }
        }
    }

    private static async Task SameAsModelAsync(Infrastructure infrastructure, BundleStore store, string version, List<UserAction> log)
    {
        var history = new UserHistory();
        log.ForEach(action => history.Apply(action));
        using var retriever = M5Retriever.Load(store.Open(version), "cpu");
        var expected = Assert.Single(retriever.Retrieve([new RetrievalRequest("u1", history, log[^1].Time)], 10).Users);
        Assert.Equal(["all", "films"], expected.Select(s => s.Scenario).Order());
        foreach (var (scenario, shows) in expected)
        {
            var set = (await infrastructure.SetAsync("u1", scenario))!;
            Assert.Equal(version, set.ModelVersion);
            Assert.Equal(shows.Select(s => s.ShowId), set.ShowIds);
            Assert.All(shows.Zip(set.Scores), pair => Assert.Equal(pair.First.Score, pair.Second, 1e-4));
            Assert.DoesNotContain(set.ShowIds, id => log.Any(a => a.ShowId == id));
            AssertOrdered(set);
        }
    }

    private static void AssertOrdered(RetrievalSet set)
    {
        Assert.Equal(10, set.ShowIds.Distinct().Count());
        Assert.Equal(set.Scores.OrderDescending(), set.Scores);
    }

    private static Dataset World() => new(
        [.. Enumerable.Range(0, 40).Select(i => new Show($"s{i}", i % 2 == 0 ? ShowCategory.Series : ShowCategory.Movie) { Title = $"Show {i}", Tags = [$"t{i % 5}"] })],
        [new Scenario("all"), new Scenario("films") { PoolCategories = [ShowCategory.Movie] }],
        [.. Enumerable.Range(0, 6).Select(u => new UserLog(
            new UserProfile($"x{u}"),
            [.. Enumerable.Range(0, 5).Select(i => new UserAction(ActionKind.Watch, new DateTimeOffset(2026, 1, 1, u, i, 0, TimeSpan.Zero))
            {
                ShowId = $"s{((u * 7) + (i * 3)) % 40}",
                Scenario = "all",
                Played = TimeSpan.FromMinutes(20),
            })]))]);
}
