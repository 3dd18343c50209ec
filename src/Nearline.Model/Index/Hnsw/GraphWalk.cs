using System.Runtime.CompilerServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>Walks through a graph toward the rows nearest to something. Not thread-safe; keeps its memory.</summary>
internal sealed class GraphWalk(HnswGraph graph)
{
    private readonly VisitedRows visited = new(graph.Count);
    private readonly RowQueue queue = new();
    private readonly int[] rows = new int[Padded(2 * graph.Links)];
    private readonly float[] scores = new float[Padded(2 * graph.Links)];

    /// <summary>What the last walk found, best first.</summary>
    public Beam Found { get; } = new();

    /// <summary>Rows that the last walk scored.</summary>
    public long Scored { get; private set; }

    /// <summary>Goes from the graph's entry down to a level, in each level above it to the nearest row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public int Descend<TSpace>(TSpace space, int level)
        where TSpace : struct, IWalkSpace
    {
        var nearest = graph.Entry;
        rows.AsSpan(0, Int8Kernel.Rows).Fill(nearest);
        space.Score(rows.AsSpan(0, Int8Kernel.Rows), scores.AsSpan(0, Int8Kernel.Rows));
        var best = scores[0];
        for (var at = graph.TopLevel; at > level; at--)
        {
            for (var from = -1; from != nearest;)
            {
                from = nearest;
                var count = 0;
                foreach (var row in graph[graph.List(from, at)])
                {
                    if (row == HnswGraph.End)
                    {
                        break;
                    }

                    rows[count++] = row;
                    space.Prefetch(row);
                }

                Score(space, count);
                for (var i = 0; i < count; i++)
                {
                    (best, nearest) = scores[i] > best ? (scores[i], rows[i]) : (best, nearest);
                }
            }
        }

        return nearest;
    }

    /// <summary>Finds the rows of a level that are nearest.</summary>
    /// <param name="space">To what.</param>
    /// <param name="level">From zero.</param>
    /// <param name="start">A row of the level.</param>
    /// <param name="breadth">Rows to find at most; the more, the surer are the first among them.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Search<TSpace>(TSpace space, int level, int start, int breadth)
        where TSpace : struct, IWalkSpace
    {
        Found.Reset(breadth);
        var count = Start(start);
        do
        {
            Score(space, count);
            for (var i = 0; i < count; i++)
            {
                if (Found.Add(scores[i], rows[i]))
                {
                    // Most rows that are kept are gone to.
                    graph.Prefetch(rows[i]);
                }
            }
        }
        while (Found.Next() is var row and >= 0 && (count = Unvisited(space, graph.List(row, level))) >= 0);
    }

    /// <summary>Finds the rows of the base that are nearest among those that a mask allows; all lead the way.</summary>
    /// <param name="space">To what.</param>
    /// <param name="start">A row.</param>
    /// <param name="breadth">Rows to find at most.</param>
    /// <param name="mask">Rows that may be found.</param>
    /// <param name="mostScored">Gives up past as many.</param>
    /// <returns>False where it gave up.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public bool Search<TSpace>(TSpace space, int start, int breadth, ItemMask mask, long mostScored)
        where TSpace : struct, IWalkSpace
    {
        var allowed = mask.Words;
        Found.Reset(breadth);
        queue.Clear();
        var count = Start(start);
        while (true)
        {
            Score(space, count);
            if (Scored > mostScored)
            {
                return false;
            }

            for (var i = 0; i < count; i++)
            {
                var (row, score) = (rows[i], scores[i]);
                if (score > Found.Worst || !Found.IsFull)
                {
                    queue.Add(Beam.Key(score, row));
                    graph.Prefetch(row);
                    if ((allowed[row >> 6] >> row & 1) != 0)
                    {
                        Found.Add(score, row);
                    }
                }
            }

            if (queue.Count == 0)
            {
                return true;
            }

            var next = queue.Take();
            if (Found.IsFull && Selection.Score(next) < Found.Worst)
            {
                return true;
            }

            count = Unvisited(space, Beam.Row(next));
        }
    }

    private static int Padded(int count) => (count + Int8Kernel.Rows - 1) / Int8Kernel.Rows * Int8Kernel.Rows;

    /// <summary>Puts together the rows that a walk of the base or of another level begins with.</summary>
    private int Start(int start)
    {
        visited.Clear();
        visited.Add(start);
        Scored = 0;
        var count = 0;
        rows[count++] = start;
        if (visited.Add(graph.Entry))
        {
            // Every row can be reached from there.
            rows[count++] = graph.Entry;
        }

        return count;
    }

    /// <summary>Collects neighbours that were not seen yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Unvisited<TSpace>(TSpace space, int list)
        where TSpace : struct, IWalkSpace
    {
        var count = 0;
        foreach (var row in graph[list])
        {
            if (row == HnswGraph.End)
            {
                break;
            }

            if (visited.Add(row))
            {
                rows[count++] = row;
                space.Prefetch(row);
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Score<TSpace>(TSpace space, int count)
        where TSpace : struct, IWalkSpace
    {
        if (count > 0)
        {
            var padded = Padded(count);
            rows.AsSpan(count, padded - count).Fill(rows[0]);
            space.Score(rows.AsSpan(0, padded), scores.AsSpan(0, padded));
            Scored += count;
        }
    }
}
