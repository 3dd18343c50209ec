namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// One search of a batch, with all the memory it needs, used again by later searches. Queries are split among threads.
/// </summary>
internal sealed class HnswSearch : SharedWork
{
    private readonly HnswRows rows;
    private readonly HnswGraph graph;
    private readonly ExactIndex exact;
    private readonly SearchCost cost;
    private readonly int threads;
    private readonly Worker?[] workers;

    // Queries that walk through the graph, and those whose rows are all scored.
    private readonly List<int> walking = [];
    private readonly List<int> scanning = [];
    private readonly List<ItemMask?> scanningMasks = [];
    private float[] scanningQueries = [];
    private float[] queries = [];
    private ItemMask?[] masks = [];
    private int[] allowed = [];
    private SearchResult?[] results = [];
    private int limit;
    private int breadth;

    public HnswSearch(HnswRows rows, HnswGraph graph, ExactIndex exact, SearchCost cost, int threads, SearchHelper[] helpers)
        : base(helpers)
    {
        (this.rows, this.graph, this.exact, this.cost, this.threads) = (rows, graph, exact, cost, threads);
        workers = new Worker?[threads];
    }

    /// <summary>Called when nobody holds the search any more.</summary>
    public required Action<HnswSearch> Release { get; init; }

    /// <summary>Searches; arguments are checked already.</summary>
    public SearchResult[] Search(ReadOnlySpan<float> given, int wanted, IReadOnlyList<ItemMask?> givenMasks, int rowsToKeep)
    {
        var (batch, dimension) = (given.Length / rows.Floats.Dimension, rows.Floats.Dimension);
        (limit, breadth) = (wanted, rowsToKeep);
        var found = new SearchResult[batch];
        results = found;
        Hold();
        try
        {
            Prepare(given, givenMasks);
            Run(walking.Count, threads);
            foreach (var query in walking)
            {
                if (results[query] is null)
                {
                    scanning.Add(query);
                }
            }

            Fit(ref scanningQueries, scanning.Count * dimension);
            for (var i = 0; i < scanning.Count; i++)
            {
                given.Slice(scanning[i] * dimension, dimension).CopyTo(scanningQueries.AsSpan(i * dimension));
                scanningMasks.Add(masks[scanning[i]]);
            }

            if (scanning.Count > 0)
            {
                var scanned = exact.Search(scanningQueries.AsSpan(0, scanning.Count * dimension), limit, scanningMasks);
                for (var i = 0; i < scanned.Length; i++)
                {
                    found[scanning[i]] = scanned[i];
                }
            }

            return found;
        }
        finally
        {
            results = [];
            walking.Clear();
            scanning.Clear();
            scanningMasks.Clear();
            Array.Clear(masks, 0, Math.Min(batch, masks.Length));
            Leave();
        }
    }

    /// <inheritdoc/>
    protected override void Do(int part, int workerNumber)
    {
        var worker = workers[workerNumber] ??= new Worker(rows, graph, cost);
        var query = walking[part];
        results[query] = worker.Find(
            queries.AsSpan(query * rows.Floats.Stride, rows.Floats.Stride), masks[query], allowed[query], limit, breadth);
    }

    /// <inheritdoc/>
    protected override void Released() => Release(this);

    private static void Fit<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[length];
        }
    }

    private void Prepare(ReadOnlySpan<float> given, IReadOnlyList<ItemMask?> givenMasks)
    {
        var (dimension, stride) = (rows.Floats.Dimension, rows.Floats.Stride);
        Fit(ref queries, checked(results.Length * stride));
        Fit(ref masks, results.Length);
        Fit(ref allowed, results.Length);
        for (var query = 0; query < results.Length; query++)
        {
            var values = queries.AsSpan(query * stride, stride);
            given.Slice(query * dimension, dimension).CopyTo(values);
            values[dimension..].Clear();
            masks[query] = givenMasks.Count == 0 ? null : givenMasks[query];
            allowed[query] = masks[query]?.Count ?? graph.Count;
            (cost.IsWalkCheaper(graph, allowed[query], breadth) ? walking : scanning).Add(query);
        }
    }

    /// <summary>The memory of one thread.</summary>
    private sealed class Worker(HnswRows rows, HnswGraph graph, SearchCost cost)
    {
        private readonly GraphWalk walk = new(graph);
        private readonly Rescoring rescoring = new(rows.Floats);
        private readonly sbyte[] values = new sbyte[rows.Int8.Stride];
        private int[] found = [];

        /// <summary>The best rows, or null where the graph does not give them at a reasonable cost.</summary>
        public SearchResult? Find(ReadOnlySpan<float> query, ItemMask? mask, int allowed, int limit, int breadth)
        {
            if (!QuantizedQuery.TryCreate(query[..rows.Floats.Dimension], rows.Int8, values, out var quantized))
            {
                return null;
            }

            var space = new QuerySpace(rows.Int8, values, quantized.Sum);
            var start = walk.Descend(space, 0);
            if (mask is null)
            {
                walk.Search(space, 0, start, breadth);
            }
            else if (!walk.Search(space, start, breadth, mask, cost.MostScored(graph, allowed)))
            {
                return null;
            }

            var keys = walk.Found.Keys;
            if (keys.Length < Math.Min(limit, allowed))
            {
                return null;
            }

            Fit(ref found, keys.Length);
            for (var i = 0; i < keys.Length; i++)
            {
                found[i] = Beam.Row(keys[i]);
            }

            return rescoring.Best(query, found.AsSpan(0, keys.Length), limit);
        }
    }
}
