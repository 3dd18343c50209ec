using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Builds a graph on all cores, the same one on any number of them. Rows are inserted in batches: all rows of a batch
/// search the graph as it was before, each writes its own lists, and then every row that was chosen takes up those that
/// chose it, pruned where they are too many. Within a step no thread reads what another writes.
/// </summary>
internal sealed class HnswBuilder
{
    // A row does not see those of its own batch, so a batch is a small share of what is there and of what there will be.
    private const int ShareOfInserted = 4;
    private const int ShareOfAll = 50;

    private readonly HnswGraph graph;
    private readonly BuildRows rows;
    private readonly HnswSettings settings;
    private readonly CancellationToken cancellation;
    private readonly byte[] levels;
    private readonly int[] rowOfUpperList;
    private readonly Worker[] workers;

    // Choices of the current batch: for each list the last row that chose it, and for each choice the one before.
    private readonly int[] lastChoice;
    private int[] chooser = [];
    private int[] choiceBefore = [];
    private int[] firstChoice = [];

    private HnswBuilder(BuildRows rows, int count, HnswSettings settings, int threads, CancellationToken cancellation)
    {
        (this.rows, this.settings, this.cancellation) = (rows, settings, cancellation);
        levels = HnswOrder.Levels(count, settings.Links, settings.Seed);
        graph = new HnswGraph(levels, settings.Links);
        rowOfUpperList = new int[graph.UpperLists];
        for (var row = 0; row < count; row++)
        {
            rowOfUpperList.AsSpan(graph.UpperStarts[row], levels[row]).Fill(row);
        }

        lastChoice = new int[graph.Lists];
        Array.Fill(lastChoice, -1);
        workers = [.. Enumerable.Range(0, threads).Select(_ => new Worker(graph, rows))];
    }

    /// <summary>Builds.</summary>
    /// <param name="int8">The rows.</param>
    /// <param name="count">Of them.</param>
    /// <param name="settings">Checked already.</param>
    /// <param name="threads">At most.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static HnswGraph Build(Int8Rows int8, int count, HnswSettings settings, int threads, CancellationToken cancellation)
    {
        var builder = new HnswBuilder(new BuildRows(int8, count), count, settings, threads, cancellation);
        builder.InsertAll();
        new GraphRepair(builder.graph, builder.rows, settings.ConstructionBreadth).Repair();
        return builder.graph;
    }

    private void InsertAll()
    {
        var order = HnswOrder.Insertion(levels, graph.Entry, settings.Seed);

        // The first has nobody to choose.
        for (int from = 1, size; from < order.Length; from += size)
        {
            size = Math.Min(order.Length - from, Math.Clamp(from / ShareOfInserted, 1, Math.Max(1, order.Length / ShareOfAll)));
            Insert(order.AsSpan(from, size).ToArray());
        }
    }

    private void Insert(int[] batch)
    {
        Fit(ref firstChoice, batch.Length);
        var choices = 0;
        for (var i = 0; i < batch.Length; i++)
        {
            firstChoice[i] = choices;
            choices = checked(choices + ((levels[batch[i]] + 1) * settings.Links));
        }

        Fit(ref chooser, choices);
        Fit(ref choiceBefore, choices);
        ForEach(batch.Length, (worker, i) => Choose(worker, batch[i], firstChoice[i]));
        var chosen = workers.SelectMany(w => w.Chosen).ToArray();
        Array.ForEach(workers, w => w.Chosen.Clear());
        ForEach(chosen.Length, (worker, i) => TakeUp(worker, chosen[i]));
    }

    /// <summary>A row chooses its neighbours and tells them.</summary>
    private void Choose(Worker worker, int row, int choice)
    {
        var space = rows.At(row, worker.Values);
        var start = worker.Walk.Descend(space, levels[row]);
        for (var level = (int)levels[row]; level >= 0; level--)
        {
            worker.Walk.Search(space, level, start, Math.Max(settings.ConstructionBreadth, settings.Links));
            var found = worker.Walk.Found.Keys;
            start = Beam.Row(found[0]);
            var neighbours = worker.Selection.Choose(row, found, settings.Links);
            neighbours.CopyTo(graph[graph.List(row, level)]);
            foreach (var neighbour in neighbours)
            {
                var list = graph.List(neighbour, level);
                chooser[choice] = row;
                choiceBefore[choice] = Interlocked.Exchange(ref lastChoice[list], choice);
                if (choiceBefore[choice++] < 0)
                {
                    worker.Chosen.Add(list);
                }
            }
        }
    }

    /// <summary>A row takes up those that chose it.</summary>
    private void TakeUp(Worker worker, int list)
    {
        var all = worker.Rows;
        all.Clear();
        for (var choice = lastChoice[list]; choice >= 0; choice = choiceBefore[choice])
        {
            all.Add(chooser[choice]);
        }

        // Threads came in any order.
        lastChoice[list] = -1;
        all.Sort();
        var links = graph[list];
        var used = links.IndexOf(HnswGraph.End) is var end and >= 0 ? end : links.Length;
        if (used + all.Count <= links.Length)
        {
            all.CopyTo(links[used..]);
            return;
        }

        foreach (var link in links[..used])
        {
            all.Add(link);
        }

        var row = list < graph.Count ? list : rowOfUpperList[list - graph.Count];
        var candidates = worker.Sorted(rows.At(row, worker.Values));
        var kept = worker.Selection.Choose(row, candidates, links.Length);
        kept.CopyTo(links);
        links[kept.Length..].Fill(HnswGraph.End);
    }

    private void ForEach(int count, Action<Worker, int> act)
    {
        const int Together = 16;
        var next = 0;
        Parallel.For(0, workers.Length, new ParallelOptions { MaxDegreeOfParallelism = workers.Length, CancellationToken = cancellation }, number =>
        {
            for (int from; (from = Interlocked.Add(ref next, Together) - Together) < count;)
            {
                cancellation.ThrowIfCancellationRequested();
                for (var i = from; i < Math.Min(from + Together, count); i++)
                {
                    act(workers[number], i);
                }
            }
        });
    }

    private static void Fit(ref int[] array, int length)
    {
        if (array.Length < length)
        {
            array = new int[length];
        }
    }

    /// <summary>The memory of one thread.</summary>
    private sealed class Worker(HnswGraph graph, BuildRows rows)
    {
        private ulong[] keys = [];
        private float[] scores = [];

        public GraphWalk Walk { get; } = new(graph);

        public NeighbourSelection Selection { get; } = new(rows, graph.Links);

        public sbyte[] Values { get; } = new sbyte[rows.Int8.Stride];

        /// <summary>Lists that were chosen and had not been before.</summary>
        public List<int> Chosen { get; } = [];

        public List<int> Rows { get; } = [];

        /// <summary>Keys of <see cref="Rows"/>, the nearest first.</summary>
        public ReadOnlySpan<ulong> Sorted(RowSpace space)
        {
            var count = Rows.Count;
            while (Rows.Count % Int8Kernel.Rows != 0)
            {
                Rows.Add(Rows[0]);
            }

            if (keys.Length < Rows.Count)
            {
                (keys, scores) = (new ulong[2 * Rows.Count], new float[2 * Rows.Count]);
            }

            var padded = CollectionsMarshal.AsSpan(Rows);
            foreach (var row in padded)
            {
                space.Prefetch(row);
            }

            space.Score(padded, scores.AsSpan(0, padded.Length));
            for (var i = 0; i < count; i++)
            {
                keys[i] = Beam.Key(scores[i], padded[i]);
            }

            keys.AsSpan(0, count).Sort();
            return keys.AsSpan(0, count);
        }
    }
}
