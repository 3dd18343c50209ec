using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>A <see cref="Metagraph"/>'s content on a device, and what <see cref="GraphSage"/> makes of it.</summary>
internal sealed class GraphTensors : IDisposable
{
    /// <summary>Neighbours gathered at once when all nodes are computed.</summary>
    private const int ChunkSize = 1 << 16;

    /// <summary>Nodes at once then.</summary>
    private const int ChunkNodes = 1 << 14;

    private readonly Metagraph graph;
    private readonly Device device;
    private readonly long[] categories;
    private readonly Tensor? text;
    private readonly Tensor? visual;
    private readonly NeighbourSampler sampler;

    public GraphTensors(Metagraph graph, Device device)
    {
        this.graph = graph;
        this.device = device;
        categories = [.. graph.Categories.Select(GraphSage.RowOf)];
        text = Vectors(graph.Of(MetaNodeKind.Text).Vectors);
        visual = Vectors(graph.Of(MetaNodeKind.Visual).Vectors);
        sampler = new NeighbourSampler(graph);
    }

    /// <summary>Embeddings of shows by sampled neighbours, [n, Width].</summary>
    public Tensor Embed(GraphSage network, ReadOnlySpan<int> shows, IReadOnlyList<int> fanOuts, Random random)
    {
        var sample = sampler.Draw(shows, fanOuts, random);
        var inputs = Inputs(network, sample.Nodes);
        var nodes = OfCategories(network, inputs, sample.Categories);
        var neighbours = tensor(sample.Neighbours, device: device);
        var counts = tensor(sample.Counts, device: device).view(shows.Length, sample.Width);
        var states = network.First.Forward(Own(network, shows), network.First.Offer(inputs), neighbours, counts);
        return network.Second.Forward(states, network.Second.Offer(nodes), neighbours, counts);
    }

    /// <summary>States of all meta nodes and embeddings of all shows by all their neighbours; nothing is drawn.</summary>
    public (Tensor States, Tensor Embeddings) EmbedAll(GraphSage network)
    {
        var count = graph.Nodes - graph.Shows.Count;
        var states = new List<Tensor>();
        var offers = (First: new List<Tensor>(), Second: new List<Tensor>());
        for (var start = 0; start < count; start += ChunkNodes)
        {
            using var scope = NewDisposeScope();
            int[] nodes = [.. Enumerable.Range(graph.Shows.Count + start, Math.Min(ChunkNodes, count - start))];
            var inputs = Inputs(network, nodes);
            var state = OfCategories(network, inputs, sampler.CategoriesOf(nodes));
            offers.First.Add(network.First.Offer(inputs).MoveToOuterDisposeScope());
            offers.Second.Add(network.Second.Offer(state).MoveToOuterDisposeScope());
            states.Add(state.MoveToOuterDisposeScope());
        }

        return (cat(states, 0), EmbedShows(network, cat(offers.First, 0), cat(offers.Second, 0)));
    }

    /// <summary>What goes in for meta nodes, which ascend: [n, Hidden].</summary>
    private Tensor Inputs(GraphSage network, ReadOnlySpan<int> nodes)
    {
        var (texts, visuals) = (graph.Offsets[(int)MetaNodeKind.Text], graph.Offsets[(int)MetaNodeKind.Visual]);
        var (textStart, visualStart) = (Before(nodes, texts), Before(nodes, visuals));
        var parts = new List<Tensor>();
        Tensor Rows(ReadOnlySpan<int> of, int first)
        {
            var rows = new long[of.Length];
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = of[i] - first;
            }

            return tensor(rows, device: device);
        }

        if (textStart > 0)
        {
            parts.Add(network.Learned(Rows(nodes[..textStart], graph.Shows.Count)));
        }

        if (visualStart > textStart)
        {
            parts.Add(network.Text(text!.index_select(0, Rows(nodes[textStart..visualStart], texts))));
        }

        if (nodes.Length > visualStart)
        {
            parts.Add(network.Visual(visual!.index_select(0, Rows(nodes[visualStart..], visuals))));
        }

        return cat(parts, 0);
    }

    public void Dispose()
    {
        text?.Dispose();
        visual?.Dispose();
    }

    private Tensor? Vectors(NodeVectors? vectors) =>
        vectors is not { Ids.Count: > 0 }
            ? null
            : tensor(vectors.Values.ToArray()).view(vectors.Ids.Count, vectors.Width).to(device).DetachFromDisposeScope();

    /// <summary>How many of the nodes, which ascend, come before a node.</summary>
    private static int Before(ReadOnlySpan<int> nodes, int node)
    {
        var at = nodes.BinarySearch(node);
        return at < 0 ? ~at : at;
    }

    /// <summary>What goes in for shows.</summary>
    private Tensor Own(GraphSage network, ReadOnlySpan<int> shows)
    {
        var rows = new long[shows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = categories[shows[i]];
        }

        return network.Shows(tensor(rows, device: device));
    }

    /// <summary>States of meta nodes, whose neighbours are shows: these offer what their categories do.</summary>
    private Tensor OfCategories(GraphSage network, Tensor inputs, float[] counts)
    {
        var kinds = NeighbourSample.CategoryCount;
        var offers = network.First.Offer(network.Categories);
        if (network.First.AggregatesByOwn)
        {
            var all = arange(kinds, device: device).repeat([inputs.shape[0]]);
            return network.First.Forward(inputs, offers, all, tensor(counts, device: device).view(-1, kinds));
        }

        // A few mixtures of categories serve all nodes.
        var places = new Dictionary<int, int>(new EqualRows(counts, kinds));
        var (mixtures, rows) = (new List<float>(), new long[counts.Length / kinds]);
        for (var i = 0; i < rows.Length; i++)
        {
            if (places.TryAdd(i, places.Count))
            {
                mixtures.AddRange(counts.AsSpan(i * kinds, kinds));
            }

            rows[i] = places[i];
        }

        var mixed = tensor(mixtures.ToArray(), device: device).view(-1, kinds);
        return network.First.Forward(
            inputs, network.First.Aggregate(offers, arange(kinds, device: device).repeat([mixed.shape[0]]), mixed), tensor(rows, device: device));
    }

    /// <summary>Both layers for all shows, those with as many neighbours together.</summary>
    private Tensor EmbedShows(GraphSage network, Tensor firstOffers, Tensor secondOffers)
    {
        var edges = graph.Neighbours;
        var count = graph.Shows.Count;
        int[] order = [.. Enumerable.Range(0, count).OrderBy(edges.Degree)];
        var places = new long[count];
        var parts = new List<Tensor>();
        for (var start = 0; start < count;)
        {
            var (end, width) = (start + 1, Math.Max(1, edges.Degree(order[start])));
            while (end < count && (long)(end - start + 1) * Math.Max(1, edges.Degree(order[end])) <= ChunkSize)
            {
                width = Math.Max(1, edges.Degree(order[end]));
                end++;
            }

            using (NewDisposeScope())
            {
                var shows = order.AsSpan(start, end - start);
                var (neighbours, counts) = AllNeighbours(shows, width);
                var states = network.First.Forward(Own(network, shows), firstOffers, neighbours, counts);
                parts.Add(network.Second.Forward(states, secondOffers, neighbours, counts).MoveToOuterDisposeScope());
            }

            for (; start < end; start++)
            {
                places[order[start]] = start;
            }
        }

        return cat(parts, 0).index_select(0, tensor(places, device: device));
    }

    private (Tensor Neighbours, Tensor Counts) AllNeighbours(ReadOnlySpan<int> shows, int width)
    {
        var neighbours = new long[shows.Length * width];
        var counts = new float[neighbours.Length];
        for (var i = 0; i < shows.Length; i++)
        {
            var all = graph.Neighbours[shows[i]];
            for (var k = 0; k < all.Length; k++)
            {
                neighbours[(i * width) + k] = all[k] - graph.Shows.Count;
            }

            counts.AsSpan(i * width, all.Length).Fill(1);
        }

        return (tensor(neighbours, device: device), tensor(counts, device: device).view(shows.Length, width));
    }

    /// <summary>Rows of a matrix are equal when their numbers are.</summary>
    private sealed class EqualRows(float[] values, int width) : IEqualityComparer<int>
    {
        public bool Equals(int x, int y) => Row(x).SequenceEqual(Row(y));

        public int GetHashCode(int row)
        {
            var hash = 0;
            foreach (var value in Row(row))
            {
                hash = unchecked((hash * 31) + (int)value);
            }

            return hash;
        }

        private ReadOnlySpan<float> Row(int row) => values.AsSpan(row * width, width);
    }
}
