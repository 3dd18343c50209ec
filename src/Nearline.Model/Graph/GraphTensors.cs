using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>A <see cref="Metagraph"/>'s content on a device, and what <see cref="GraphSage"/> makes of it.</summary>
internal sealed class GraphTensors : IDisposable
{
    /// <summary>Neighbours gathered at once when all nodes are computed.</summary>
    private const int ChunkSize = 1 << 16;

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
        sampler = new NeighbourSampler(graph.Neighbours);
    }

    /// <summary>Nodes with an embedding of their own.</summary>
    public static int LearnedOf(Metagraph graph) => graph.Offsets[(int)MetaNodeKind.Text] - graph.Shows.Count;

    /// <summary>Embeddings of shows by sampled neighbours, [n, Width]; the shows ascend.</summary>
    public Tensor Embed(GraphSage network, ReadOnlySpan<int> shows, IReadOnlyList<int> fanOuts, Random random)
    {
        var outer = sampler.Draw(shows, fanOuts[0], random);
        var inner = sampler.Draw(outer.Sources, fanOuts[1], random);
        var states = Apply(network.First, Inputs(network, inner.Sources), inner);
        return Apply(network.Second, states, outer);
    }

    /// <summary>States of all nodes and embeddings of all shows by all their neighbours; nothing is drawn.</summary>
    public (Tensor States, Tensor Embeddings) EmbedAll(GraphSage network)
    {
        int[] all = [.. Enumerable.Range(0, graph.Nodes)];
        var inputs = Inputs(network, all);
        var states = ApplyAll(network.First, inputs, graph.Nodes);
        return (states, ApplyAll(network.Second, states, graph.Shows.Count));
    }

    /// <summary>What goes in for nodes, which ascend: [n, Hidden].</summary>
    public Tensor Inputs(GraphSage network, ReadOnlySpan<int> nodes)
    {
        var (shows, texts, visuals) = (graph.Shows.Count, graph.Offsets[(int)MetaNodeKind.Text], graph.Offsets[(int)MetaNodeKind.Visual]);
        var counts = new int[4];
        var rows = new long[nodes.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var node = nodes[i];
            var (kind, row) = node < shows ? (0, categories[node])
                : node < texts ? (1, node - shows)
                : node < visuals ? (2, node - texts)
                : (3, (long)node - visuals);
            counts[kind]++;
            rows[i] = row;
        }

        var parts = new List<Tensor>();
        var start = 0;
        for (var kind = 0; kind < counts.Length; kind++)
        {
            if (counts[kind] == 0)
            {
                continue;
            }

            var chosen = tensor(rows.AsSpan(start, counts[kind]).ToArray(), device: device);
            parts.Add(kind switch
            {
                0 => network.Shows(chosen),
                1 => network.Learned(chosen),
                2 => network.Text(text!.index_select(0, chosen)),
                _ => network.Visual(visual!.index_select(0, chosen)),
            });
            start += counts[kind];
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

    private Tensor Apply(SageLayer layer, Tensor vectors, NeighbourSample sample) => layer.Forward(
        vectors.index_select(0, tensor(sample.Self, device: device)),
        layer.Offer(vectors),
        tensor(sample.Neighbours, device: device),
        tensor(sample.Present, device: device).view(sample.Self.Length, sample.Width));

    /// <summary>Applies a layer to the first nodes, those with as many neighbours together.</summary>
    private Tensor ApplyAll(SageLayer layer, Tensor vectors, int count)
    {
        var edges = graph.Neighbours;
        int[] order = [.. Enumerable.Range(0, count).OrderBy(edges.Degree)];
        var places = new long[count];
        var offers = layer.Offer(vectors);
        var parts = new List<Tensor>();
        for (var start = 0; start < count;)
        {
            var (end, width) = (start + 1, Math.Max(1, edges.Degree(order[start])));
            while (end < count && (long)(end - start + 1) * Math.Max(1, edges.Degree(order[end])) <= ChunkSize)
            {
                width = Math.Max(1, edges.Degree(order[end]));
                end++;
            }

            parts.Add(ApplyChunk(layer, vectors, offers, order.AsSpan(start, end - start), width));
            for (; start < end; start++)
            {
                places[order[start]] = start;
            }
        }

        return cat(parts, 0).index_select(0, tensor(places, device: device));
    }

    private Tensor ApplyChunk(SageLayer layer, Tensor vectors, Tensor offers, ReadOnlySpan<int> nodes, int width)
    {
        using var scope = NewDisposeScope();
        var own = new long[nodes.Length];
        var neighbours = new long[nodes.Length * width];
        var present = new float[neighbours.Length];
        for (var i = 0; i < nodes.Length; i++)
        {
            own[i] = nodes[i];
            var all = graph.Neighbours[nodes[i]];
            for (var k = 0; k < all.Length; k++)
            {
                neighbours[(i * width) + k] = all[k];
            }

            present.AsSpan(i * width, all.Length).Fill(1);
        }

        return layer.Forward(
            vectors.index_select(0, tensor(own, device: device)),
            offers,
            tensor(neighbours, device: device),
            tensor(present, device: device).view(nodes.Length, width)).MoveToOuterDisposeScope();
    }
}
