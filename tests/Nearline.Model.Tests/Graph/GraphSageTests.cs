using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Graph;

/// <summary>The network against plain loops over the graph, and its gradients.</summary>
[Collection(TorchTests.Name)]
public sealed class GraphSageTests : IDisposable
{
    private static readonly GraphOptions Narrow = new() { Width = 5, Hidden = 4, Device = "cpu", Threads = 1 };

    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<GraphAggregator> Aggregators { get; } = new(Enum.GetValues<GraphAggregator>());

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Aggregators))]
    public void Embeddings_equal_plain_loops_over_all_neighbours(GraphAggregator aggregator)
    {
        var graph = SmallGraph();
        using var tensors = new GraphTensors(graph, CPU);
        using var network = Network(graph, aggregator);
        var (_, embeddings) = tensors.EmbedAll(network);
        var (found, expected) = (Tensors.Doubles(embeddings), Embeddings(graph, network, aggregator));
        Assert.Equal(graph.Shows.Count * Narrow.Width, found.Length);
        Assert.All(expected.SelectMany(e => e).Zip(found), p => Assert.Equal(p.First, p.Second, 1e-9));

        // Enough fan-out is no sampling.
        var sampled = Tensors.Doubles(Sampled(tensors, network, [1, 4, 30], 1000, 1000));
        Assert.All(new[] { 1, 4, 30 }.SelectMany(s => expected[s]).Zip(sampled), p => Assert.Equal(p.First, p.Second, 1e-9));
        Assert.All(expected, e => Assert.Equal(1, e.Sum(v => v * v), 1e-9));
        Assert.Contains(expected, e => e.Any(v => v < 0));
    }

    [Theory]
    [MemberData(nameof(Aggregators))]
    public void Gradients_of_the_loss_are_right(GraphAggregator aggregator)
    {
        var graph = SmallGraph();
        using var tensors = new GraphTensors(graph, CPU);
        using var network = Network(graph, aggregator);
        int[] shows = [0, 1, 5, 13, 20, 40];
        Tensor Scalar() => GraphTrainer.Loss(
            Sampled(tensors, network, shows, 4, 3), shows, [(0, 1), (13, 20), (5, 0)], [1, 40, 20], 0.5);
        (string, Tensor)[] leaves = [.. network.named_parameters().Select(p => (p.name, (Tensor)p.parameter))];
        Assert.Equal(aggregator switch { GraphAggregator.Pooling => 12, GraphAggregator.Mean => 8, _ => 18 }, leaves.Length);
        Tensors.CheckGradients(Scalar, leaves, places: 30);
    }

    private static Tensor Sampled(GraphTensors tensors, GraphSage network, int[] shows, params int[] fanOuts) =>
        tensors.Embed(network, shows, fanOuts, new Random(1));

    private static Metagraph SmallGraph()
    {
        var shows = TinyWorld.Create(users: 1).Shows;
        return Metagraph.Of(
            shows, visual: new NodeVectors([.. shows.Take(9).Select(s => s.Id)], 3, [.. Enumerable.Range(0, 27).Select(i => MathF.Sin(i))]));
    }

    private static GraphSage Network(Metagraph graph, GraphAggregator aggregator)
    {
        var network = ContentGraph.Network(Narrow with { Aggregator = aggregator }, GraphVocabulary.Of(graph));
        network.to(ScalarType.Float64);
        Tensors.Randomize(network, 3);
        return network;
    }

    private static List<double[]> Embeddings(Metagraph graph, GraphSage network, GraphAggregator aggregator)
    {
        var numbers = Plain.Numbers(network);
        var inputs = Enumerable.Range(0, graph.Nodes).Select(n => Input(graph, numbers, n)).ToList();
        var states = Layer(graph, numbers, "first", aggregator, inputs, graph.Nodes, isLast: false);
        return Layer(graph, numbers, "second", aggregator, states, graph.Shows.Count, isLast: true);
    }

    private static double[] Input(Metagraph graph, Dictionary<string, double[]> numbers, int node)
    {
        double[] Row(string table, int row) => numbers[table][(row * Narrow.Hidden)..((row + 1) * Narrow.Hidden)];
        double[] Map(string name, ReadOnlySpan<float> vector)
        {
            double[] x = [.. vector.ToArray().Select(v => (double)v)];
            return [.. Plain.Linear(numbers[name], new double[Narrow.Hidden], x)];
        }

        var kind = Array.FindLastIndex(graph.Offsets, graph.Offsets.Length - 2, o => o <= node);
        return kind < 0
            ? Row("categories.weight", (int)graph.Categories[node] - 1)
            : (MetaNodeKind)kind switch
            {
                MetaNodeKind.Text => Map("text.weight", graph.Of(MetaNodeKind.Text).Vectors!.Row(node - graph.Offsets[kind])),
                MetaNodeKind.Visual => Map("visual.weight", graph.Of(MetaNodeKind.Visual).Vectors!.Row(node - graph.Offsets[kind])),
                _ => Row("nodes.weight", node - graph.Shows.Count),
            };
    }

    private static List<double[]> Layer(
        Metagraph graph, Dictionary<string, double[]> numbers, string name, GraphAggregator aggregator, List<double[]> vectors, int count, bool isLast)
    {
        IReadOnlyList<double> Linear(string part, IReadOnlyList<double> x) =>
            Plain.Linear(numbers[$"{name}.{part}.weight"], numbers.GetValueOrDefault($"{name}.{part}.bias") ?? [0], x);
        var result = new List<double[]>();
        for (var node = 0; node < count; node++)
        {
            var own = vectors[node];
            var neighbours = graph.Neighbours[node].ToArray().Select(n => vectors[n]).ToList();
            double[] aggregate;
            switch (aggregator)
            {
                case GraphAggregator.Pooling:
                    var pooled = neighbours.Select(n => Linear("pool", n)).ToList();
                    aggregate = [.. own.Select((_, c) => pooled.Max(p => Math.Max(0, p[c])))];
                    break;
                case GraphAggregator.Attention:
                    var mapped = neighbours.Select(n => Linear("neighbour", n)).ToList();
                    var logits = mapped.Select(m => Linear("self", own)[0] + Linear("attention", m)[0]).Select(l => l > 0 ? l : 0.2 * l).ToList();
                    aggregate = [.. Plain.Weigh(logits, mapped)];
                    break;
                default:
                    aggregate = [.. own.Select((_, c) => neighbours.Average(n => n[c]))];
                    break;
            }

            double[] output = [.. Linear("combine", [.. own, .. aggregate]).Select(v => isLast ? v : Math.Max(0, v))];
            var length = Math.Sqrt(output.Sum(v => v * v));
            result.Add([.. output.Select(v => v / Math.Max(length, 1e-12))]);
        }

        return result;
    }
}
