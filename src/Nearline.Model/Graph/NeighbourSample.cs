namespace Nearline.Model.Graph;

/// <summary>Neighbours of some nodes, as a layer reads them.</summary>
/// <param name="Sources">The nodes whose vectors go in: the targets and their neighbours, each once, ascending.</param>
/// <param name="Self">Each target's place among the sources.</param>
/// <param name="Neighbours">Each target's neighbours' places among the sources, [targets, Width], row-major; zero where there is none.</param>
/// <param name="Present">1 where there is a neighbour, 0 where there is none.</param>
/// <param name="Width">The largest number of neighbours of a target, at least 1.</param>
internal sealed record NeighbourSample(int[] Sources, long[] Self, long[] Neighbours, float[] Present, int Width);

/// <summary>Draws neighbours without replacement; all of a node that has no more than asked for.</summary>
internal sealed class NeighbourSampler(Adjacency edges)
{
    private readonly int[] places = new int[edges.Rows];

    /// <summary>Draws.</summary>
    /// <param name="targets">The nodes whose neighbours are drawn.</param>
    /// <param name="fanOut">Neighbours of each.</param>
    /// <param name="random">Draws them.</param>
    public NeighbourSample Draw(ReadOnlySpan<int> targets, int fanOut, Random random)
    {
        var width = 1;
        foreach (var target in targets)
        {
            width = Math.Max(width, Math.Min(fanOut, edges.Degree(target)));
        }

        var drawn = new int[targets.Length * width];
        var present = new float[drawn.Length];
        var sources = new HashSet<int>(targets.Length * 2);
        for (var i = 0; i < targets.Length; i++)
        {
            var count = Draw(edges[targets[i]], drawn.AsSpan(i * width, width), random);
            present.AsSpan(i * width, count).Fill(1);
            sources.Add(targets[i]);
            for (var k = 0; k < count; k++)
            {
                sources.Add(drawn[(i * width) + k]);
            }
        }

        int[] ascending = [.. sources];
        Array.Sort(ascending);
        for (var i = 0; i < ascending.Length; i++)
        {
            places[ascending[i]] = i;
        }

        var self = new long[targets.Length];
        for (var i = 0; i < self.Length; i++)
        {
            self[i] = places[targets[i]];
        }

        var neighbours = new long[drawn.Length];
        for (var i = 0; i < drawn.Length; i++)
        {
            neighbours[i] = present[i] > 0 ? places[drawn[i]] : 0;
        }

        return new NeighbourSample(ascending, self, neighbours, present, width);
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
