using Nearline.Model.Behaviours;

namespace Nearline.Model.Graph;

/// <summary>Neighbours of some shows and of these neighbours, as the layers read them.</summary>
/// <param name="Nodes">The shows' neighbours, each once, ascending.</param>
/// <param name="Neighbours">Each show's neighbours' places among the nodes, [shows, Width], row-major; zero where there is none.</param>
/// <param name="Counts">1 where there is a neighbour, 0 where there is none.</param>
/// <param name="Width">The largest number of neighbours of a show, at least 1.</param>
/// <param name="Categories">
/// How many of each node's shows are of each category, [nodes, <see cref="CategoryCount"/>], row-major: all that tells
/// shows apart before the first layer.
/// </param>
internal sealed record NeighbourSample(int[] Nodes, long[] Neighbours, float[] Counts, int Width, float[] Categories)
{
    /// <summary>Categories that shows can be of.</summary>
    public static int CategoryCount { get; } = Enum.GetValues<ShowCategory>().Length;
}

/// <summary>Draws neighbours without replacement; all of a node that has no more than asked for. Each show and node is drawn for once.</summary>
internal sealed class NeighbourSampler(Metagraph graph)
{
    private readonly Adjacency edges = graph.Neighbours;
    private readonly byte[] categories = [.. graph.Categories.Select(c => (byte)GraphSage.RowOf(c))];
    private readonly int[] places = new int[graph.Nodes];

    /// <summary>Draws.</summary>
    /// <param name="shows">The shows whose neighbours are drawn.</param>
    /// <param name="fanOuts">Neighbours of a show, and of each of these.</param>
    /// <param name="random">Draws them.</param>
    public NeighbourSample Draw(ReadOnlySpan<int> shows, IReadOnlyList<int> fanOuts, Random random)
    {
        var width = 1;
        foreach (var show in shows)
        {
            width = Math.Max(width, Math.Min(fanOuts[0], edges.Degree(show)));
        }

        var drawn = new int[shows.Length * width];
        var counts = new float[drawn.Length];
        var nodes = new List<int>(drawn.Length);
        for (var i = 0; i < shows.Length; i++)
        {
            var row = drawn.AsSpan(i * width, width);
            row = row[..Draw(edges[shows[i]], row, random)];
            counts.AsSpan(i * width, row.Length).Fill(1);
            foreach (var node in row)
            {
                // Zero is nobody's place while nodes are gathered.
                if (places[node] == 0)
                {
                    places[node] = 1;
                    nodes.Add(node);
                }
            }
        }

        int[] ascending = [.. nodes];
        Array.Sort(ascending);
        for (var i = 0; i < ascending.Length; i++)
        {
            places[ascending[i]] = i;
        }

        var neighbours = new long[drawn.Length];
        for (var i = 0; i < drawn.Length; i++)
        {
            neighbours[i] = counts[i] > 0 ? places[drawn[i]] : 0;
        }

        foreach (var node in ascending)
        {
            places[node] = 0;
        }

        return new NeighbourSample(ascending, neighbours, counts, width, CategoriesOf(ascending, fanOuts[1], random));
    }

    /// <summary>The categories of all shows of nodes, [nodes, <see cref="NeighbourSample.CategoryCount"/>].</summary>
    public float[] CategoriesOf(ReadOnlySpan<int> nodes) => CategoriesOf(nodes, int.MaxValue, null);

    private float[] CategoriesOf(ReadOnlySpan<int> nodes, int fanOut, Random? random)
    {
        var counts = new float[nodes.Length * NeighbourSample.CategoryCount];
        var drawn = random is null ? [] : new int[fanOut];
        for (var i = 0; i < nodes.Length; i++)
        {
            var shows = edges[nodes[i]];
            if (shows.Length > fanOut)
            {
                Draw(shows, drawn, random!);
                shows = drawn;
            }

            var row = counts.AsSpan(i * NeighbourSample.CategoryCount, NeighbourSample.CategoryCount);
            foreach (var show in shows)
            {
                row[categories[show]]++;
            }
        }

        return counts;
    }

    /// <summary>Floyd's: every subset is equally likely, with no more draws than neighbours taken.</summary>
    private static int Draw(ReadOnlySpan<int> all, Span<int> into, Random random)
    {
        if (all.Length <= into.Length)
        {
            all.CopyTo(into);
            return all.Length;
        }

        for (var k = 0; k < into.Length; k++)
        {
            var last = all.Length - into.Length + k;
            var chosen = all[random.Next(last + 1)];
            into[k] = into[..k].Contains(chosen) ? all[last] : chosen;
        }

        return into.Length;
    }
}
