using System.Text.Json.Nodes;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;

namespace Nearline.Model.Tests.Graph;

/// <summary>Bundles of models that started from a content graph carry it, and place shows that come later by it.</summary>
[Collection(TorchTests.Name)]
public sealed class GraphBundleTests : IDisposable
{
    private const int Width = 16;

    private static readonly IReadOnlyList<Show> Shows = TinyWorld.Create(24).Shows;

    /// <summary>A show of each genre that the graph knows and the model does not.</summary>
    private static readonly Show[] LeftOut = [.. Shows.Where((_, i) => i % TinyWorld.ShowsOfGenre == 5)];

    private static readonly Dataset World = Without(TinyWorld.Create(24), LeftOut);

    private readonly TempDirectory models = new();

    public void Dispose() => models.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void With_a_frozen_table_a_live_show_lies_exactly_where_the_graph_has_it(double initScale)
    {
        var config = TinyWorld.Config with { TrainCg = false, InitScale = initScale };
        var unseen = new Show("unseen", ShowCategory.Live) { Title = "Another one", Tags = ["genre-2", "nothing of this world"], Cast = ["actor-7"] };
        float[][] expected;
        BundleDirectory bundle;
        using (var graph = Graph())
        {
            bundle = Write(config, graph);
            expected = [.. LeftOut.Select(s => graph.EmbeddingsOf([s])), graph.Embed(unseen)];
        }

        // The graph is gone; the bundle has all that it needs.
        using var retriever = M5Retriever.Load(bundle, "cpu");
        Assert.Equal(LeftOut.Length + 1, retriever.Apply([.. LeftOut.Append(unseen).Select(s => new CatalogChange(s.Id, s))]).Added);
        var side = retriever.Side.ToDictionary(s => s.Show.Id);
        foreach (var (show, row) in LeftOut.Append(unseen).Zip(expected))
        {
            var scaled = Array.ConvertAll(row, v => v * (float)config.ContentScale);
            Assert.Equal(scaled, side[show.Id].Place.Cg);
            Assert.Equal(scaled, side[show.Id].Place.Row[Width..]);
        }

        Assert.DoesNotContain("content.json", bundle.Manifest.Files.Keys);
        Assert.Contains(ContentGraph.TensorsFile, bundle.Manifest.Files.Keys);
    }

    [Fact]
    public void With_a_trained_table_a_live_show_lies_among_its_like()
    {
        using var graph = Graph(epochs: 40);
        var bundle = Write(TinyWorld.Config, graph);
        using var retriever = M5Retriever.Load(bundle, "cpu");
        retriever.Apply([.. LeftOut.Select(s => new CatalogChange(s.Id, s))]);
        var rows = M5Bundle.Rows(bundle).Rows;
        var query = TinyWorld.Config.QueryWidth;
        foreach (var live in retriever.Side)
        {
            Assert.NotEqual(graph.EmbeddingsOf([live.Show]), live.Place.Cg);
            double Product(int i) => VectorMath.Dot(live.Place.Cg, rows.AsSpan((i * query) + Width, Width));
            var like = Enumerable.Range(0, World.Shows.Count).ToLookup(i => World.Shows[i].Tags[0] == live.Show.Tags[0], Product);
            Assert.True(like[true].Average() > like[false].Average() + 0.1, $"{live.Show.Id}: {like[true].Average()}, others {like[false].Average()}");
        }
    }

    [Fact]
    public void Without_a_graph_a_table_that_did_not_move_needs_no_map_either()
    {
        using var retriever = M5Retriever.Load(M5Bundle.WriteUntrained(World, TinyWorld.Config with { InitScale = 0 }, models.Path), "cpu");
        retriever.Apply([.. LeftOut.Select(s => new CatalogChange(s.Id, s))]);
        var encoder = ContentEncoder.Fit(World.Shows, Width, 1);
        Assert.All(retriever.Side, s => Assert.Equal(encoder.Embed(s.Show), s.Place.Cg));
    }

    [Fact]
    public void A_show_of_which_the_graph_knows_nothing_is_placed_nowhere()
    {
        Show[] films = [.. Shows.Where(s => s.Category == ShowCategory.Movie)];
        using var graph = Graph(films);
        IShowEmbedder embedder = graph;
        var alien = new Show("alien", ShowCategory.Live) { Tags = ["nothing of this world"] };
        Assert.Null(embedder.Embed(alien));
        Assert.Equal(graph.Embed(alien with { Tags = ["genre-1"] }), embedder.Embed(alien with { Tags = ["genre-1"] }));
        Assert.NotNull(embedder.Embed(alien with { Title = "Some words" }));
    }

    [Fact]
    public void A_bundle_whose_graph_is_not_whole_or_not_its_own_is_refused_by_name()
    {
        using var graph = Graph();
        var good = Write(TinyWorld.Config, graph);
        var description = JsonNode.Parse(File.ReadAllText(good.PathOf(ContentGraph.DescriptionFile)))!;
        var name = 0;
        void Refused(string expected, Func<string, byte[]?> content)
        {
            // The same files but some, with hashes to match.
            using var writer = new BundleWriter(models.Path, $"tampered-{name++}");
            foreach (var file in good.Manifest.Files.Keys.Append("content.json"))
            {
                var bytes = content(file) ?? (file == "content.json" ? [] : File.ReadAllBytes(good.PathOf(file)));
                if (bytes.Length > 0)
                {
                    File.WriteAllBytes(writer.PathOf(file), bytes);
                }
            }

            var bundle = writer.Commit(good.Manifest with { Version = writer.Version });
            var error = Assert.Throws<BundleException>(() => M5Retriever.Load(bundle, "cpu"));
            Assert.StartsWith(bundle.Path, error.Message, StringComparison.Ordinal);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }

        Refused("lists no file 'graph.safetensors'", file => file == "graph.safetensors" ? [] : null);
        Refused("lists no file 'content.json'", file => file == "graph.json" ? [] : null);
        Refused("has both graph.json and content.json", file => file == "content.json" ? "[]"u8.ToArray() : null);
        Refused(": graph.json: cannot be read", file => file == "graph.json" ? "{"u8.ToArray() : null);
        Refused(": graph.safetensors: sha256: expected", file => file == "graph.safetensors" ? [1, 2, 3] : null);

        using var other = Graph(width: 8);
        using var folder = new TempDirectory();
        other.Write(folder.Path);
        Refused("graph: its width is 8, tiny's 16", file => file.StartsWith("graph.", StringComparison.Ordinal) ? File.ReadAllBytes(folder[file]) : null);
    }

    private static ContentGraph Graph(IEnumerable<Show>? shows = null, int width = Width, int epochs = 2) => GraphTrainer.Train(
        Metagraph.Of([.. shows ?? Shows]), new GraphOptions { Width = width, Hidden = 16, Epochs = epochs, Threads = 1, Device = "cpu" });

    private static Dataset Without(Dataset world, IReadOnlyList<Show> shows)
    {
        var left = shows.Select(s => s.Id).ToHashSet();
        return world with
        {
            Shows = [.. world.Shows.Where(s => !left.Contains(s.Id))],
            Users = [.. world.Users.Select(u => u with { Actions = [.. u.Actions.Where(a => a.ShowId is null || !left.Contains(a.ShowId))] })],
        };
    }

    private BundleDirectory Write(M5Config config, ContentGraph graph)
    {
        using var model = Trainer.Train(
            Splits.LeaveOneOut(World),
            config,
            TrainingOptions.Small with { Epochs = 1, BatchSize = 64, SamplesPerUser = 2, FutureTargets = 2, Threads = 1, Device = "cpu" },
            new TrainingStart { Graph = graph });
        return M5Bundle.Write(model, models.Path);
    }
}
