using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;

namespace Nearline.Model.Tests.Graph;

/// <summary>M5 whose CG table starts from a content graph, and what a bundle tells of its shows' neighbours.</summary>
[Collection(TorchTests.Name)]
public sealed class GraphStartTests
{
    private static readonly Dataset World = TinyWorld.Create(24);

    private static readonly TrainingOptions Training = TrainingOptions.Small with
    {
        Epochs = 1,
        BatchSize = 64,
        SamplesPerUser = 2,
        FutureTargets = 2,
        Threads = 1,
        Device = "cpu",
    };

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0.05, 0, 0.2)]
    [InlineData(0.05, 3, 3)]
    public void A_frozen_table_is_the_graphs_rows_and_a_learning_one_begins_there(double initScale, double cgLength, float length)
    {
        using var graph = Graph(World.Shows.Skip(4));
        var config = TinyWorld.Config with { InitScale = initScale, CgLength = cgLength, TrainCg = false };
        var expected = graph.EmbeddingsOf(World.Shows);
        using var frozen = Trained(config, graph);
        Assert.All(Cgs(frozen).Zip(expected), p => Assert.Equal(p.Second * length, p.First, 1e-5));

        using var learned = Trained(config with { TrainCg = true }, graph);
        var moved = Cgs(learned).Zip(expected).Max(p => Math.Abs(p.First - (p.Second * length)));
        Assert.InRange(moved, 1e-6, 0.5);
    }

    [Fact]
    public void A_graph_that_does_not_fit_is_refused()
    {
        using var graph = Graph(World.Shows);
        void Refused(M5Config config, string expected) => Assert.StartsWith(
            expected, Assert.Throws<ArgumentException>(() => Trained(config, graph)).Message, StringComparison.Ordinal);
        Refused(
            TinyWorld.Config with { Width = 32 },
            "graph: its width is 16, tiny's 32; train the graph with --set Width=32, or the model with --set Width=16");
        Refused(M5Variants.ByName("wo-mm").Of(TinyWorld.Config), "graph: tiny, variant wo-mm, has no table of CG embeddings");
        Refused(M5Variants.ByName("raw-metadata").Of(TinyWorld.Config), "graph: tiny, variant raw-metadata, has no table");

        var error = Assert.Throws<ArgumentException>(() => graph.EmbeddingsOf([World.Shows[0] with { Id = "other" }]));
        Assert.StartsWith("graph: none of its 48 shows is in the catalog of 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("m5")]
    [InlineData("wo-mm")]
    [InlineData("single-channel")]
    public void Neighbours_of_a_bundle_are_those_of_a_plain_search(string variant)
    {
        using var directory = new TempDirectory();
        var config = M5Variants.ByName(variant).Of(TinyWorld.Config);
        var bundle = M5Bundle.WriteUntrained(World, config, directory.Path);
        var neighbours = ShowNeighbours.Of(bundle);
        Assert.Equal(
            variant switch { "m5" => [RowPart.Cg, RowPart.Id, RowPart.Both], "wo-mm" => [RowPart.Id], _ => [RowPart.Both] },
            neighbours.Parts);
        var rows = M5Bundle.Rows(bundle).Rows;
        double Cosine(int a, int b, int from, int count)
        {
            double Dot(int x, int y) => Enumerable.Range(from, count).Sum(
                c => (double)rows[(x * config.QueryWidth) + c] * rows[(y * config.QueryWidth) + c]);
            return Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));
        }

        foreach (var part in neighbours.Parts)
        {
            double Of(int a, int b) => (part, variant) switch
            {
                (RowPart.Cg, _) => Cosine(a, b, config.Width, config.Width),
                (RowPart.Both, "m5") => (Cosine(a, b, 0, config.Width) + Cosine(a, b, config.Width, config.Width)) / 2,
                _ => Cosine(a, b, 0, config.Width),
            };
            var found = neighbours.Nearest(5, part, 7);
            var expected = Enumerable.Range(0, World.Shows.Count).Where(s => s != 5).OrderByDescending(s => Of(5, s)).Take(7);
            Assert.Equal(expected, found.Select(f => f.Show));
            Assert.All(found, f => Assert.Equal(Of(5, f.Show), f.Cosine, 1e-5));
        }

        Assert.Equal(World.Shows[5].Tags.Order(), neighbours.TagsOf(5).Order());
        if (variant != "m5")
        {
            Assert.Contains("part: Cg; the model has", Assert.Throws<ArgumentException>(() => neighbours.Nearest(5, RowPart.Cg, 7)).Message, StringComparison.Ordinal);
        }
    }

    private static ContentGraph Graph(IEnumerable<Show> shows) => GraphTrainer.Train(
        Metagraph.Of([.. shows]), new GraphOptions { Width = 16, Hidden = 16, Epochs = 2, Threads = 1, Device = "cpu" });

    private static TrainedModel Trained(M5Config config, ContentGraph graph) => Trainer.Train(
        Splits.LeaveOneOut(World), config, Training, new TrainingStart { Graph = graph });

    private static float[] Cgs(TrainedModel model)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var width = model.Config.Width;
        return model.Network.Items().detach().narrow(1, width, width).contiguous().data<float>().ToArray();
    }
}
