using System.Numerics;

namespace Nearline.Model.Index;

/// <summary>
/// One search with all the memory it needs, used again by later searches. Its parts are done by whoever comes: the
/// thread that searches, and those of the pool that it asked and that find something left to do.
/// </summary>
/// <remarks>
/// Many queries are split among threads by query, so that nothing has to be merged; few are split by rows.
/// </remarks>
internal sealed class SearchJob(FloatRows floats, Int8Rows? int8, SearchSettings settings, SearchHelper[] helpers)
    : SharedWork(helpers)
{
    // Queries that pass over the rows together: each block comes from memory once for all of them.
    private const int MostTogether = 16;

    private const int PrefetchingQueries = 4;

    // Parts for each thread when rows are split, so that one that comes late does fewer.
    private const int ChunksEach = 8;

    private readonly Worker[] workers = [.. Enumerable.Range(0, settings.Threads).Select(_ => new Worker(floats))];
    private float[] queries = [];
    private sbyte[] int8Queries = [];
    private QuantizedQuery[] bounds = [];
    private bool[] isQuantized = [];
    private bool[] isSparse = [];
    private float[] thresholds = [];
    private ItemMask?[] masks = [];
    private SearchResult[] results = [];
    private int batch;
    private int limit;

    // A part is some queries over all rows, or all queries over some rows.
    private bool isByRows;
    private int partQueries;
    private int partRows;
    private int parts;

    /// <summary>Called when nobody holds the job any more.</summary>
    public required Action<SearchJob> Release { get; init; }

    /// <summary>Searches; arguments are checked already.</summary>
    public SearchResult[] Search(ReadOnlySpan<float> given, int wanted, IReadOnlyList<ItemMask?> givenMasks)
    {
        (batch, limit) = (given.Length / floats.Dimension, wanted);
        var found = results = new SearchResult[batch];
        Hold();
        try
        {
            var work = Prepare(given, givenMasks);
            var running = (int)Math.Min(settings.Threads, 1 + (work / settings.WorkForThread));
            Split(running);
            Run(parts, running);
            for (var query = 0; isByRows && query < batch; query++)
            {
                Merge(query);
            }

            return found;
        }
        finally
        {
            results = [];
            Array.Clear(masks, 0, Math.Min(batch, masks.Length));
            Leave();
        }
    }

    /// <inheritdoc/>
    protected override void Released() => Release(this);

    /// <inheritdoc/>
    protected override void Do(int part, int workerNumber)
    {
        var worker = workers[workerNumber];
        if (isByRows)
        {
            if (worker.Parts++ == 0)
            {
                worker.Reset(batch, limit);
            }

            var from = part * partRows;
            Scan(0, batch, from, (int)Math.Min((long)from + partRows, floats.Count), worker);
        }
        else
        {
            var first = part * partQueries;
            var count = Math.Min(partQueries, batch - first);
            worker.Reset(count, limit);
            Scan(first, count, 0, floats.Count, worker);
            for (var i = 0; i < count; i++)
            {
                results[first + i] = Finish(first + i, worker.Candidates[i], worker.Rescoring);
            }
        }
    }

    private static ulong Allowed(ItemMask? mask, int firstRow, int rows)
    {
        var inRange = rows >= Int8Rows.Block ? ulong.MaxValue : (1UL << rows) - 1;
        return mask is null ? inRange : mask.Words[firstRow / Int8Rows.Block] & inRange;
    }

    private static void Fit<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[length];
        }
    }

    /// <summary>Lays out the queries.</summary>
    /// <returns>How much there is to do, in products of int8.</returns>
    private long Prepare(ReadOnlySpan<float> given, IReadOnlyList<ItemMask?> givenMasks)
    {
        Fit(ref queries, checked(batch * floats.Stride));
        Fit(ref int8Queries, checked(batch * (int8?.Stride ?? 0)));
        Fit(ref bounds, batch);
        Fit(ref isQuantized, batch);
        Fit(ref isSparse, batch);
        Fit(ref thresholds, batch);
        Fit(ref masks, batch);
        var work = 0L;
        for (var query = 0; query < batch; query++)
        {
            var values = given.Slice(query * floats.Dimension, floats.Dimension);
            var to = queries.AsSpan(query * floats.Stride, floats.Stride);
            values.CopyTo(to);
            to[values.Length..].Clear();
            masks[query] = givenMasks.Count == 0 ? null : givenMasks[query];
            thresholds[query] = float.NegativeInfinity;

            // Where few more rows are allowed than wanted, bounds would save nothing.
            var rows = masks[query]?.Count ?? floats.Count;
            isQuantized[query] = int8 is not null
                && rows / 2 > limit
                && QuantizedQuery.TryCreate(values, int8, int8Queries.AsSpan(query * int8.Stride, int8.Stride), out bounds[query]);
            isSparse[query] = !isQuantized[query] || 2L * Int8Rows.Block * rows < (long)settings.DenseRows * floats.Count;

            // Rows read here and there, or in fp32, take about four times as long.
            work += (long)rows * floats.Stride * (isSparse[query] ? 4 : 1);
        }

        return work;
    }

    private void Split(int running)
    {
        isByRows = running > 1 && batch < 4 * running;
        if (isByRows)
        {
            var rows = Math.Max(settings.RowsForThread, floats.Count / (ChunksEach * running));
            (partQueries, partRows) = (batch, checked(rows + Int8Rows.Block - 1) / Int8Rows.Block * Int8Rows.Block);
            parts = (int)(((long)floats.Count + partRows - 1) / partRows);
        }
        else
        {
            (partQueries, partRows) = (Math.Clamp(batch / (2 * running), 1, MostTogether), floats.Count);
            parts = (batch + partQueries - 1) / partQueries;
        }

        Array.ForEach(workers, w => w.Parts = 0);
    }

    /// <summary>Offers rows to queries.</summary>
    private void Scan(int firstQuery, int count, int from, int to, Worker worker)
    {
        var dense = 0;
        for (var i = 0; i < count; i++)
        {
            var query = firstQuery + i;
            if (isByRows)
            {
                worker.Candidates[i].Raise(Volatile.Read(ref thresholds[query]));
            }

            if (isSparse[query])
            {
                ScanSparse(query, from, to, worker.Candidates[i], worker.Rescoring);
            }
            else
            {
                dense++;
            }
        }

        if (dense > 0)
        {
            ScanDense(firstQuery, count, dense, from, to, worker);
        }

        for (var i = 0; i < count; i++)
        {
            while (!worker.Candidates[i].Waiting.IsEmpty)
            {
                OfferWaiting(firstQuery + i, worker.Candidates[i], worker.Rescoring);
            }

            if (isByRows)
            {
                Share(firstQuery + i, worker.Candidates[i].Threshold);
            }
        }
    }

    /// <summary>A block of rows to all queries that want many rows, then the next.</summary>
    private void ScanDense(int firstQuery, int count, int dense, int from, int to, Worker worker)
    {
        for (var row = from; row < to; row += Int8Rows.Block)
        {
            var next = row + Int8Rows.Block;
            var (single, singleAllowed) = (-1, 0UL);
            for (int i = 0, part = 0; i < count; i++)
            {
                var query = firstQuery + i;
                if (isSparse[query])
                {
                    continue;
                }

                // Each query fetches a part of what comes next, while others work on what is here. A few would not do
                // enough work to hide it: the machine's own prefetching is better.
                if (next < to && dense >= PrefetchingQueries)
                {
                    int8!.PrefetchBlock(next, part++, dense);
                }

                var allowed = Allowed(masks[query], row, to - row);
                if (BitOperations.PopCount(allowed) < Math.Min(settings.DenseRows, to - row))
                {
                    OfferEach(query, row, allowed, worker.Candidates[i], worker.Rescoring);
                }
                else if (single < 0)
                {
                    (single, singleAllowed) = (i, allowed);
                }
                else
                {
                    var first = firstQuery + single;
                    int8!.OfferBlock(
                        row,
                        singleAllowed,
                        Int8Query(first),
                        bounds[first],
                        worker.Candidates[single],
                        allowed,
                        Int8Query(query),
                        bounds[query],
                        worker.Candidates[i]);
                    single = -1;
                }
            }

            if (single >= 0)
            {
                var query = firstQuery + single;
                int8!.OfferBlock(row, singleAllowed, Int8Query(query), bounds[query], worker.Candidates[single]);
            }
        }
    }

    /// <summary>Row by row, those that a mask allows.</summary>
    private void ScanSparse(int query, int from, int to, Candidates candidates, Rescoring rescoring)
    {
        for (var row = from; row < to; row += Int8Rows.Block)
        {
            OfferEach(query, row, Allowed(masks[query], row, to - row), candidates, rescoring);
        }
    }

    private void OfferEach(int query, int firstRow, ulong allowed, Candidates candidates, Rescoring rescoring)
    {
        if (candidates.Await(firstRow, allowed, isQuantized[query] ? int8 : null))
        {
            OfferWaiting(query, candidates, rescoring);
        }
    }

    private void OfferWaiting(int query, Candidates candidates, Rescoring rescoring)
    {
        if (isQuantized[query])
        {
            int8!.OfferWaiting(Int8Query(query), bounds[query], candidates);
        }
        else
        {
            rescoring.OfferWaiting(Query(query), candidates);
        }
    }

    private void Share(int query, float threshold)
    {
        ref var shared = ref thresholds[query];
        for (var seen = Volatile.Read(ref shared); threshold > seen;)
        {
            var before = Interlocked.CompareExchange(ref shared, threshold, seen);
            if (before.Equals(seen))
            {
                break;
            }

            seen = before;
        }
    }

    /// <summary>Puts together what threads found in their rows.</summary>
    private void Merge(int query)
    {
        Candidates? all = null;
        foreach (var worker in workers)
        {
            if (worker.Parts == 0)
            {
                continue;
            }

            if (all is null)
            {
                all = worker.Candidates[query];
            }
            else
            {
                all.Append(worker.Candidates[query]);
            }
        }

        results[query] = Finish(query, all!, workers[0].Rescoring);
    }

    private SearchResult Finish(int query, Candidates candidates, Rescoring rescoring) => isQuantized[query]
        ? rescoring.Best(Query(query), candidates, bounds[query].Scale, limit)
        : rescoring.Best(candidates, limit);

    private ReadOnlySpan<float> Query(int query) => queries.AsSpan(query * floats.Stride, floats.Stride);

    private ReadOnlySpan<sbyte> Int8Query(int query) => int8Queries.AsSpan(query * int8!.Stride, int8.Stride);

    /// <summary>The memory of one thread.</summary>
    private sealed class Worker(FloatRows floats)
    {
        /// <summary>A query of a part each.</summary>
        public List<Candidates> Candidates { get; } = [];

        public Rescoring Rescoring { get; } = new(floats);

        /// <summary>Parts of rows that it did in this search: none, and its candidates are another search's.</summary>
        public int Parts { get; set; }

        public void Reset(int count, int limit)
        {
            while (Candidates.Count < count)
            {
                Candidates.Add(new Candidates());
            }

            for (var i = 0; i < count; i++)
            {
                Candidates[i].Reset(limit);
            }
        }
    }
}
