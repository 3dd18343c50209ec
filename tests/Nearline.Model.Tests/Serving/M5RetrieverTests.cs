using System.Text.Json.Nodes;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;

namespace Nearline.Model.Tests.Serving;

[Collection(TorchTests.Name)]
public sealed class M5RetrieverTests : IDisposable
{
    private readonly TempDirectory models = new();
    private readonly Dataset dataset = WithWindows(TinyWorld.Create(40));

    public void Dispose() => models.Dispose();

    [Fact]
    public void Sets_hold_only_available_unwatched_shows_of_the_pool_best_first()
    {
        using var retriever = Load();
        var shows = dataset.Shows.ToDictionary(s => s.Id);
        var requests = Requests();
        var batch = retriever.Retrieve(requests, 100);
        Assert.Equal(requests.Count, batch.Users.Count);
        var windows = 0;
        for (var u = 0; u < requests.Count; u++)
        {
            Assert.Equal(
                dataset.Users[u].User.Scenarios is { Count: > 0 } served ? served : retriever.Scenarios,
                batch.Users[u].Select(s => s.Scenario));
            foreach (var set in batch.Users[u])
            {
                var scenario = dataset.Scenarios.Single(s => s.Id == set.Scenario);
                var now = requests[u].Now;
                var expected = dataset.Shows.Where(s =>
                    scenario.Admits(s) && !requests[u].History.HasWatched(s.Id) &&
                    (s.AvailableFrom is null || s.AvailableFrom <= now) && (s.AvailableUntil is null || now < s.AvailableUntil));
                windows += dataset.Shows.Count(s => s.AvailableFrom > now || s.AvailableUntil <= now);
                Assert.Equal(expected.Select(s => s.Id).Order(), set.Shows.Select(s => s.ShowId).Order());
                Assert.Equal(set.Shows.OrderByDescending(s => s.Score).Select(s => s.Score), set.Shows.Select(s => s.Score));
                Assert.All(set.Shows, s => Assert.Equal(shows[s.ShowId].Category, s.Category));
            }
        }

        Assert.True(windows > 0);
        Assert.True(batch.TowerTime > TimeSpan.Zero && batch.IndexTime > TimeSpan.Zero);
    }

    [Fact]
    public void The_id_score_is_the_id_channels_part_of_the_score()
    {
        using var model = Trained();
        var bundle = M5Bundle.Write(model, models.Path);
        using var retriever = M5Retriever.Load(bundle, "cpu");
        var request = Requests()[2];
        var set = retriever.Retrieve([request], 5).Users[0][0];
        var encoder = new Nearline.Model.Features.FeatureEncoder(model.Schema);
        var encoded = encoder.Encode([(request.History, request.Now)]);
        var query = retriever.Queries(encoded, [0], [0]);
        using var scope = torch.NewDisposeScope();
        var items = Tensors.Doubles(model.Network.Items());
        var width = model.Config.Width;
        foreach (var show in set.Shows)
        {
            var row = encoder.RowOf(show.ShowId);
            double Part(int from) => Enumerable.Range(from, width).Sum(c => query[c] * items[(row * 2 * width) + c]);
            Assert.Equal(Part(0), show.IdScore, 1e-4);
            Assert.Equal(Part(0) + Part(width), show.Score, 1e-4);
        }
    }

    [Fact]
    public void A_bundle_serves_what_the_model_in_memory_serves()
    {
        using var model = Trained();
        var report = new EvaluationReport([], new ScenarioMetrics("average", 1, 0.5, 0.6, 0.7));
        var bundle = M5Bundle.Write(model, models.Path, report, metrics: new Dictionary<string, double> { ["popularity_hr20"] = 0.1 });
        Assert.Equal(0.5, bundle.Manifest.Metrics["hr20"]);
        Assert.Equal(0.1, bundle.Manifest.Metrics["popularity_hr20"]);
        Assert.Equal(model.Epochs[model.BestEpoch - 1].Validation!.Hr20, bundle.Manifest.Metrics["validation_hr20"]);
        Assert.Equal("tiny", bundle.Manifest.Hyperparameters.GetProperty("config").GetProperty("name").GetString());
        Assert.Equal(48, bundle.Manifest.ItemCount);

        using var loaded = M5Retriever.Load(bundle.Path, "cpu");
        using var memory = model.CreateRetriever();
        Assert.Equal(bundle.Version, loaded.ModelVersion);
        Alike.Check(memory.Retrieve(Requests(), 20).Users, loaded.Retrieve(Requests(), 20).Users);
    }

    [Fact]
    public void Every_exact_backend_serves_the_same_and_says_what_it_is()
    {
        var bundle = M5Bundle.WriteUntrained(dataset, TinyWorld.Config, models.Path);
        using var usual = M5Retriever.Load(bundle, "cpu");
        Assert.Equal("exact-cpu", usual.Index.Backend);
        Assert.StartsWith("auto: exact", usual.Index.Why, StringComparison.Ordinal);
        var expected = Sets(usual);
        foreach (var backend in new[] { "exact-cpu", "exact-torch" })
        {
            using var retriever = M5Retriever.Load(bundle, "cpu", backend: new BackendOptions { Backend = backend, MeasureFor = TimeSpan.Zero, Limit = 5 });
            Assert.Equal(expected, Sets(retriever));
            var index = retriever.Index;
            Assert.Equal((backend, 48, 2 * TinyWorld.Config.Width, "as asked for"), (index.Backend, index.Rows, index.Dimension, index.Why));
            Assert.Equal(backend, Assert.Single(index.Timings).Backend);
            Assert.InRange(index.Timings[0].Milliseconds, 1e-6, 1000);
            Assert.Contains($"{backend}, 48 rows x ", index.ToString(), StringComparison.Ordinal);
        }

        var error = Assert.Throws<ArgumentException>(() => M5Retriever.Load(bundle, "cpu", backend: new BackendOptions { Backend = "faiss" }));
        Assert.Contains("Backend: 'faiss': must be one of auto, exact-cpu, exact-torch, hnsw", error.Message, StringComparison.Ordinal);

        IEnumerable<(string, string)> Sets(M5Retriever retriever) =>
            retriever.Retrieve(Requests(), 20).Users.SelectMany(u => u).Select(s => (s.Scenario, string.Join(' ', s.Shows))).ToList();
    }

    [Fact]
    public void A_bundle_may_have_a_graph_which_its_checksums_cover_and_one_without_works_too()
    {
        using var model = Trained();
        var without = M5Bundle.Write(model, models.Path, version: "without");
        var with = M5Bundle.Write(model, models.Path, version: "with", withGraph: true);
        Assert.DoesNotContain("index.hnsw", without.Manifest.Files.Keys);
        Assert.Contains("index.hnsw", with.Manifest.Files.Keys);
        var hnsw = new BackendOptions { Backend = "hnsw", MeasureFor = TimeSpan.Zero };
        using (var exact = M5Retriever.Load(with, "cpu"))
        using (var graph = M5Retriever.Load(with, "cpu", backend: hnsw))
        using (var built = M5Retriever.Load(without, "cpu", backend: hnsw))
        {
            Assert.Equal(("exact-cpu", "hnsw", "hnsw"), (exact.Index.Backend, graph.Index.Backend, built.Index.Backend));
            Assert.Equal("as asked for, from the bundle", graph.Index.Why);

            // So few shows are all scored: nothing is missed.
            string Sets(M5Retriever retriever) => string.Join('|', retriever.Retrieve(Requests(), 20).Users.SelectMany(u => u).Select(s => string.Join(' ', s.Shows)));
            Assert.Equal(Sets(exact), Sets(graph));
            Assert.Equal(Sets(exact), Sets(built));
        }

        // What was built beside the bundles is none of them.
        Assert.Empty(new BundleStore(models.Path).List(verify: true).Broken);
        var bytes = File.ReadAllBytes(with.PathOf("index.hnsw"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(with.PathOf("index.hnsw"), bytes);
        Assert.Contains("index.hnsw: sha256", Assert.Throws<BundleException>(() => M5Retriever.Load(with.Path, "cpu")).Message, StringComparison.Ordinal);

        // The file of another model, its checksum right.
        using var writer = new BundleWriter(models.Path, "mixed");
        foreach (var name in without.Manifest.Files.Keys)
        {
            File.Copy(without.PathOf(name), writer.PathOf(name));
        }

        Nearline.Model.Index.Hnsw.HnswIndex.Build(new float[48 * 2 * TinyWorld.Config.Width], 2 * TinyWorld.Config.Width).Save(writer.PathOf("index.hnsw"));
        var mixed = writer.Commit(with.Manifest with { Version = "mixed" });
        Assert.Contains("other rows", Assert.Throws<BundleException>(() => M5Retriever.Load(mixed, "cpu", backend: hnsw)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_users_shows_and_scenarios_are_served_or_passed_over()
    {
        using var retriever = Load();
        Assert.True(retriever.Knows("show-1"));
        Assert.False(retriever.Knows("show-99"));

        var stranger = new UserHistory();
        Assert.Equal(["everything", "on-demand"], Serve(stranger).Select(s => s.Scenario));
        stranger.Apply(new UserAction(ActionKind.Watch, TinyWorld.Start) { ShowId = "show-99" });
        Assert.All(Serve(stranger), s => Assert.Equal(3, s.Shows.Count));

        stranger.Apply(new UserAction(ActionKind.ProfileUpdate, TinyWorld.Start) { Scenarios = ["elsewhere", "on-demand"] });
        Assert.Equal(["on-demand"], Serve(stranger).Select(s => s.Scenario));
        stranger.Apply(new UserAction(ActionKind.ProfileUpdate, TinyWorld.Start) { Scenarios = ["elsewhere"] });
        Assert.Empty(Serve(stranger));
        Assert.Empty(retriever.Retrieve([], 3).Users);

        IReadOnlyList<ScenarioCandidates> Serve(UserHistory history) =>
            retriever.Retrieve([new RetrievalRequest("stranger", history, TinyWorld.Start)], 3).Users[0];
    }

    [Fact]
    public void Batches_of_any_size_serve_each_user_alike()
    {
        using var retriever = Load();
        var requests = Enumerable.Repeat(Requests(), 8).SelectMany(r => r).ToList();
        Assert.True(requests.Count > 256);
        var together = retriever.Retrieve(requests, 10).Users;
        foreach (var u in new[] { 0, 7, 39, 255, 256, requests.Count - 1 })
        {
            var alone = retriever.Retrieve([requests[u]], 10).Users[0];
            Assert.Equal(alone.Select(s => s.Scenario), together[u].Select(s => s.Scenario));
            foreach (var (x, y) in alone.Zip(together[u]))
            {
                Assert.All(x.Shows.Zip(y.Shows), p => Assert.Equal(p.First.Score, p.Second.Score, 1e-4));
            }
        }
    }

    [Fact]
    public void Fallback_lists_are_the_most_watched_of_each_pool_and_of_all()
    {
        using var retriever = Load();
        var lists = retriever.FallbackLists(7).ToDictionary(l => l.Scenario);
        Assert.Equal(["", "everything", "on-demand"], lists.Keys);
        Assert.All(lists.Values, l => Assert.Equal(7, l.Shows.Count));
        Assert.All(lists["on-demand"].Shows, s => Assert.NotEqual(ShowCategory.Live, s.Category));
        var watchers = dataset.Shows.ToDictionary(
            s => s.Id, s => dataset.Users.Count(u => TinyWorld.HistoryOf(u).HasWatched(s.Id)));
        Assert.Equal(watchers.Values.OrderDescending().Take(7).Select(c => (float)c), lists[""].Shows.Select(s => s.Score));
        Assert.All(lists[""].Shows, s => Assert.Equal(watchers[s.ShowId], s.Score));
    }

    [Theory]
    [InlineData("vocabulary.json", "max_length", "max_length: expected 10")]
    [InlineData("vocabulary.json", "version", "version: expected 2, found 7")]
    [InlineData("items.json", "0", "ids: not the shows of the vocabulary")]
    [InlineData("weights.safetensors", "", "weights.safetensors")]
    public void A_bundle_whose_files_do_not_fit_each_other_is_refused_by_name(string file, string field, string message)
    {
        using var model = Trained();
        var good = M5Bundle.Write(model, models.Path);

        // The same files but one, so that all hashes are right.
        using var writer = new BundleWriter(models.Path, "tampered");
        foreach (var name in good.Manifest.Files.Keys)
        {
            File.Copy(good.PathOf(name), writer.PathOf(name));
        }

        if (field.Length > 0)
        {
            var json = JsonNode.Parse(File.ReadAllText(good.PathOf(file)))!;
            if (json is JsonArray items)
            {
                items[int.Parse(field, System.Globalization.CultureInfo.InvariantCulture)]!["id"] = "another";
            }
            else
            {
                json[field] = 7;
            }

            File.WriteAllText(writer.PathOf(file), json.ToJsonString());
        }
        else
        {
            SafeTensorsFile.Write(writer.PathOf(file), [TensorData.Of<float>("stranger", [1f], 1)]);
        }

        var bundle = writer.Commit(good.Manifest with { Version = "tampered" });
        var error = Assert.ThrowsAny<Exception>(() => M5Retriever.Load(bundle, "cpu"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retrieval_leaves_no_tensors_behind()
    {
        using var retriever = Load();
        retriever.Retrieve(Requests(), 10);
        var before = LiveTensors.Count();
        for (var i = 0; i < 5; i++)
        {
            retriever.Retrieve(Requests(), 10);
        }

        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void Devices_are_named_right_or_refused()
    {
        var bundle = M5Bundle.WriteUntrained(dataset, TinyWorld.Config, models.Path);
        var error = Assert.Throws<ArgumentException>(() => M5Retriever.Load(bundle, "gpu"));
        Assert.Contains("'gpu' is not one of auto, cpu, cuda", error.Message, StringComparison.Ordinal);
    }

    private static Dataset WithWindows(Dataset world) => world with
    {
        Shows =
        [
            .. world.Shows.Select((s, i) => s with
            {
                AvailableFrom = i % 7 == 0 ? TinyWorld.Start.AddDays(4) : null,
                AvailableUntil = i % 5 == 0 ? TinyWorld.Start.AddDays(5) : null,
            }),
        ],
    };

    private M5Retriever Load() => M5Retriever.Load(M5Bundle.WriteUntrained(dataset, TinyWorld.Config, models.Path).Path, "cpu");

    private List<RetrievalRequest> Requests() =>
        [.. dataset.Users.Select(u => new RetrievalRequest(u.User.Id, TinyWorld.HistoryOf(u), u.Actions[^1].Time))];

    private TrainedModel Trained() => Trainer.Train(
        Splits.LeaveOneOut(dataset),
        TinyWorld.Config,
        TrainingOptions.Small with { Epochs = 1, SamplesPerUser = 2, Threads = 1, Device = "cpu" });
}
