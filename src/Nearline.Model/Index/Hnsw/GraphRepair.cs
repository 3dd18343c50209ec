namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Makes every row reachable from the graph's entry at the base: pruning leaves some that nobody links to, equal rows most
/// of all, and short ones where norms differ. Such a row gets a link from a near one that has room, or in place of a link
/// that no row needs to be reached.
/// </summary>
internal sealed class GraphRepair(HnswGraph graph, BuildRows rows, int breadth)
{
    private const int Unreached = -2;
    private const int Root = -1;

    private readonly GraphWalk walk = new(graph);
    private readonly sbyte[] values = new sbyte[rows.Int8.Stride];

    // The row from which each was reached first: the links of this tree must stay.
    private readonly int[] reachedFrom = new int[graph.Count];
    private readonly Queue<int> toFollow = [];

    /// <summary>Repairs.</summary>
    public void Repair()
    {
        if (graph.Count == 0)
        {
            return;
        }

        Array.Fill(reachedFrom, Unreached);
        Reach(graph.Entry, Root);
        for (var row = 0; row < graph.Count; row++)
        {
            if (reachedFrom[row] == Unreached)
            {
                Attach(row);
            }
        }
    }

    private void Reach(int row, int from)
    {
        reachedFrom[row] = from;
        toFollow.Enqueue(row);
        while (toFollow.TryDequeue(out var next))
        {
            foreach (var link in graph[next])
            {
                if (link == HnswGraph.End)
                {
                    break;
                }

                if (reachedFrom[link] == Unreached)
                {
                    reachedFrom[link] = next;
                    toFollow.Enqueue(link);
                }
            }
        }
    }

    private void Attach(int row)
    {
        // A list with room loses nothing. Those that the row chose are near, and need no search; but where norms differ
        // they are the longest and have no room, while others in its direction do.
        if (graph[row].ToArray().Any(near => near != HnswGraph.End && TryLink(near, row, mayReplace: false)))
        {
            return;
        }

        var space = rows.At(row, values, isByAngle: true);
        walk.Search(space, 0, walk.Descend(space, 0), breadth);
        foreach (var mayReplace in new[] { false, true })
        {
            foreach (var key in walk.Found.Keys)
            {
                if (TryLink(Beam.Row(key), row, mayReplace))
                {
                    return;
                }
            }
        }

        // There are more links than a tree of all rows needs.
        for (var from = 0; !TryLink(from, row, mayReplace: true); from++)
        {
        }
    }

    private bool TryLink(int from, int row, bool mayReplace)
    {
        if (reachedFrom[from] == Unreached)
        {
            return false;
        }

        var links = graph[from];
        var free = links.IndexOf(HnswGraph.End);
        var place = free >= 0 ? free : mayReplace ? Replaceable(from, links) : -1;
        if (place < 0)
        {
            return false;
        }

        links[place] = row;
        Reach(row, from);
        return true;
    }

    /// <summary>The last link that no row needs to be reached, or a negative number.</summary>
    private int Replaceable(int from, ReadOnlySpan<int> links)
    {
        for (var place = links.Length - 1; place >= 0; place--)
        {
            if (reachedFrom[links[place]] != from)
            {
                return place;
            }
        }

        return -1;
    }
}
