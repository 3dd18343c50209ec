using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Graph;

[Collection(TorchTests.Name)]
public sealed class ContentGraphTests
{
    private static readonly GraphOptions Options = new()
    {
        Width = 16,
        Hidden = 16,
        Epochs = 40,
        BatchSize = 64,
        LearningRate = 0.02,
        Threads = 1,
        Device = "cpu",
    };

    private static readonly IReadOnlyList<Show> Shows = TinyWorld.Create(users: 1).Shows;

    [Fact]
    public void Equal_seeds_give_equal_weights_and_others_do_not()
    {
        var options = Options with { Epochs = 1 };
        using var first = Train(options);
        using var second = Train(options);
        using var other = Train(options with { Seed = 2 });
        Assert.Equal(first.Fingerprint(), second.Fingerprint());
        Assert.Equal(first.Embeddings.ToArray(), second.Embeddings.ToArray());
        Assert.NotEqual(first.Embeddings.ToArray(), other.Embeddings.ToArray());
    }

    [Theory]
    [InlineData(GraphAggregator.Pooling)]
    [InlineData(GraphAggregator.Mean)]
    [InlineData(GraphAggregator.Attention)]
    public void A_show_that_was_left_out_lies_near_those_that_share_its_tags_and_cast(GraphAggregator aggregator)
    {
        Show[] left = [.. Shows.Where((_, i) => i % 6 == 5)];
        Show[] kept = [.. Shows.Except(left)];
        var losses = new List<GraphProgress>();
        using var graph = GraphTrainer.Train(
            Metagraph.Of(kept), Options with { Aggregator = aggregator }, new Inline<GraphProgress>(losses.Add));
        Assert.Equal(Enumerable.Range(1, 40), losses.Select(l => l.Epoch));
        Assert.True(losses[^1].Loss < losses[0].Loss - 0.1, $"loss {losses[0].Loss} to {losses[^1].Loss}");
        foreach (var show in left)
        {
            Assert.False(graph.Contains(show.Id));
            var embedding = graph.Embed(show);
            Assert.Equal(1, embedding.Sum(v => v * v), 1e-4);
            var near = kept.Select((k, row) => (Cosine: Cosine(graph, row, embedding), Shared: Common(k, show))).ToList();
            var (sharing, others) = (
                near.Where(n => n.Shared > 0).Average(n => n.Cosine), near.Where(n => n.Shared == 0).Average(n => n.Cosine));
            Assert.True(sharing > others + 0.2, $"{show.Id}: {sharing} to those that share, {others} to others");
            Assert.True(near.MaxBy(n => n.Cosine).Shared > 0, $"{show.Id}: the nearest shares nothing");
        }

        // Of a catalog with both, rows are the graph's or new ones.
        var rows = graph.EmbeddingsOf([left[0], kept[2]]);
        Assert.Equal(graph.Embed(left[0]), rows[..16]);
        Assert.Equal(graph.Embeddings.Slice(2 * 16, 16).ToArray(), rows[16..]);
    }

    [Theory]
    [InlineData(GraphAggregator.Pooling)]
    [InlineData(GraphAggregator.Mean)]
    [InlineData(GraphAggregator.Attention)]
    public void Embedding_a_known_show_anew_gives_its_row(GraphAggregator aggregator)
    {
        float[] visual = [.. Enumerable.Range(0, Shows.Count * 3).Select(i => MathF.Cos(i))];
        using var graph = GraphTrainer.Train(
            Metagraph.Of(Shows, visual: new NodeVectors([.. Shows.Select(s => s.Id)], 3, visual)),
            Options with { Aggregator = aggregator, Epochs = 1 });
        foreach (var row in new[] { 0, 7, 30, 47 })
        {
            var anew = graph.Embed(Shows[row], visual: visual[(row * 3)..((row + 1) * 3)]);
            Assert.All(anew.Zip(graph.Embeddings.Slice(row * 16, 16).ToArray()), p => Assert.Equal(p.First, p.Second, 1e-5));
        }

        var error = Assert.Throws<ArgumentException>(() => graph.Embed(Shows[0], visual: [1, 2]));
        Assert.StartsWith("visual: 2 numbers; the graph was trained with 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_graph_does_not_know_says_nothing()
    {
        using var graph = Train(Options with { Epochs = 1 });
        var known = new Show("new", ShowCategory.Movie) { Tags = ["genre-1"] };
        Assert.Equal(
            graph.Embed(known),
            graph.Embed(known with { Tags = ["Genre-1 ", "unheard of"], Cast = ["nobody"], Brands = ["none"], ReleaseYear = 1800 }));
        Assert.NotEqual(graph.Embed(known), graph.Embed(known with { Tags = ["genre-2"] }));

        // Not even the category: no neighbour at all.
        using var films = GraphTrainer.Train(
            Metagraph.Of([.. Shows.Where(s => s.Category == ShowCategory.Movie)]), Options with { Epochs = 1 });
        var alone = films.Embed(new Show("alone", ShowCategory.Live));
        Assert.All(alone, v => Assert.True(float.IsFinite(v)));
        Assert.Equal(alone, films.Embed(new Show("as alone", ShowCategory.Live) { Tags = ["unheard of"] }));
    }

    [Fact]
    public void What_was_written_is_read_back_whole()
    {
        using var directory = new TempDirectory();
        using var graph = Train(Options with { Epochs = 1, Aggregator = GraphAggregator.Attention });
        graph.Write(directory.Path);
        using var read = ContentGraph.Load(directory.Path);
        Assert.Equal(graph.Fingerprint(), read.Fingerprint());
        Assert.Equal(graph.Embeddings.ToArray(), read.Embeddings.ToArray());
        Assert.Equal(graph.Options with { FanOuts = read.Options.FanOuts }, read.Options);
        Assert.Equal(graph.Options.FanOuts, read.Options.FanOuts);
        Assert.Equal(graph.Report.Kinds, read.Report.Kinds);
        Assert.Equal(graph.Vocabulary.Nodes[MetaNodeKind.Cast], read.Vocabulary.Nodes[MetaNodeKind.Cast]);
        var show = new Show("new", ShowCategory.Live) { Title = "Title of it", Tags = ["genre-2"], Cast = ["actor-3"], ReleaseYear = 2002 };
        Assert.Equal(graph.Embed(show), read.Embed(show));
    }

    [Fact]
    public void A_folder_that_is_not_whole_is_refused_by_name()
    {
        using var directory = new TempDirectory();
        void Refused(string expected) => Assert.Contains(
            expected, Assert.Throws<InvalidDataException>(() => ContentGraph.Load(directory.Path)).Message, StringComparison.Ordinal);
        Refused("graph.json: there is no such file; name a folder that `nearline graph` wrote");
        using var graph = Train(Options with { Epochs = 1 });
        graph.Write(directory.Path);
        var json = File.ReadAllText(directory["graph.json"]);
        void With(string old, string text)
        {
            Assert.Contains(old, json, StringComparison.Ordinal);
            directory.Write("graph.json", json.Replace(old, text, StringComparison.Ordinal));
        }

        directory.Write("graph.json", json[..100]);
        Refused("graph.json: cannot be read");
        With("\"format\": 1", "\"format\": 2");
        Refused("graph.json: format: expected 1, found 2");
        With("\"width\": 16", "\"width\": 8");
        Refused("tensor 'sage.second.combine.weight': F32 [16, 32]; must be F32 [8, 32]");
        With("\"aggregator\": \"Pooling\"", "\"aggregator\": \"Mean\"");
        Refused("tensor 'sage.first.pool.bias': the graph of graph.json has none of that name");
        With("\"show-3\"", "\"show-2\"");
        Refused("vocabulary.shows: 'show-2': given twice");
        With("\"show-3\",", "");
        Refused("tensor 'embeddings': F32 [48, 16]; must be F32 [47, 16]");
        With("\"Director\": []", "\"Director\": null");
        Refused("vocabulary.nodes: no list of Director");
        With("\"Director\": []", "\"Director\": [], \"Text\": []");
        Refused("vocabulary.nodes: a list of Text, whose nodes have no names");
        With("\"walks\": 10", "\"walks\": 0");
        Refused("options: Walks: 0; must be at least 1");

        directory.Write("graph.json", json);
        var bytes = File.ReadAllBytes(directory["graph.safetensors"]);
        bytes[^1] ^= 1;
        File.WriteAllBytes(directory["graph.safetensors"], bytes);
        Refused("graph.safetensors: sha256: expected");
        File.Delete(directory["graph.safetensors"]);
        Refused("graph.safetensors: there is no such file");
    }

    [Fact]
    public void Options_and_graphs_that_make_no_training_are_refused()
    {
        static void Refused(GraphOptions options, string expected) =>
            Assert.StartsWith(expected, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
        Refused(Options with { Width = 0 }, "Width: 0; must be at least 1");
        Refused(Options with { FanOuts = [10] }, "FanOuts: 10; must be two numbers, each at least 1");
        Refused(Options with { FanOuts = [10, 0] }, "FanOuts: 10,0; must be two numbers");
        Refused(Options with { Temperature = 0 }, "Temperature: 0; must be above 0");
        Refused(Options with { Aggregator = (GraphAggregator)9 }, "Aggregator: 9; must be one of Pooling, Mean, Attention");
        var alone = Metagraph.Of([new Show("a", ShowCategory.Movie), new Show("b", ShowCategory.Live) { Tags = ["t"] }]);
        Assert.StartsWith("graph: no two shows share", Assert.Throws<ArgumentException>(() => GraphTrainer.Train(alone, Options)).Message, StringComparison.Ordinal);
    }

    private static ContentGraph Train(GraphOptions options) => GraphTrainer.Train(Metagraph.Of(Shows), options);

    private static int Common(Show a, Show b) => a.Tags.Intersect(b.Tags).Count() + a.Cast.Intersect(b.Cast).Count();

    private static double Cosine(ContentGraph graph, int row, float[] embedding) =>
        VectorMath.Dot(graph.Embeddings.Slice(row * 16, 16).ToArray(), embedding);

    private sealed class Inline<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
