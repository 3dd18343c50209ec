namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Makes every row reachable from the graph's entry at the base: pruning leaves some that nobody links to, equal rows most
/// of all. Such a row gets a link from a near one, in place of a link that no row needs to be reached.
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
    /// <returns>How many rows could not be reached.</returns>
    public int Repair()
    {
        var repaired = 0;
        if (graph.Count == 0)
        {
            return repaired;
        }

        Array.Fill(reachedFrom, Unreached);
        Reach(graph.Entry, Root);
        for (var row = 0; row < graph.Count; row++)
        {
            if (reachedFrom[row] == Unreached)
            {
                Attach(row);
                repaired++;
            }
        }

        return repaired;
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
        var space = rows.At(row, values);
        walk.Search(space, 0, walk.Descend(space, 0), breadth);
        foreach (var key in walk.Found.Keys)
        {
            if (TryLink(Beam.Row(key), row))
            {
                return;
            }
        }

        // There are more links than a tree of all rows needs.
        for (var from = 0; !TryLink(from, row); from++)
        {
        }
    }

    private bool TryLink(int from, int row)
    {
        if (reachedFrom[from] == Unreached)
        {
            return false;
        }

        var links = graph[from];
        for (var i = links.Length - 1; i >= 0; i--)
        {
            // The last that is used, or the first that is not.
            var isFree = links[i] == HnswGraph.End && (i == 0 || links[i - 1] != HnswGraph.End);
            if (isFree || (links[i] != HnswGraph.End && reachedFrom[links[i]] != from))
            {
                links[i] = row;
                Reach(row, from);
                return true;
            }
        }

        return false;
    }
}
