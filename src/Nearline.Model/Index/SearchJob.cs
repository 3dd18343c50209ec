using System.Numerics;

namespace Nearline.Model.Index;

/// <summary>
/// One search with all the memory it needs, used again by later searches. Its parts are done by whoever comes: the
/// thread that searches, and those of the pool that it asked and that find something left to do.
/// </summary>
/// <remarks>
/// Many queries are split among threads by query, so that nothing has to be merged; few are split by rows. Rows are read
/// in strips, each a sample of all rows: runs of some blocks, with those of the other strips between them.
/// </remarks>
internal sealed class SearchJob(FloatRows floats, Int8Rows? int8, SearchSettings settings, SearchHelper[] helpers, Guesses guesses)
    : SharedWork(helpers)
{
    // Queries that pass over the rows together: each block comes from memory once for all of them, and is arranged once.
    private const int MostTogether = 64;

    private readonly Worker[] workers = [.. Enumerable.Range(0, settings.Threads).Select(_ => new Worker(floats, int8))];
    private float[] queries = [];
    private readonly QueryBatch quantized = new();
    private readonly MaskGroups groups = new();
    private bool[] isQuantized = [];
    private bool[] isSparse = [];
    private int[] allowedRows = [];
    private float[] thresholds = [];
    private ItemMask?[] masks = [];
    private SearchResult[] results = [];
    private int batch;
    private int limit;

    // A part is some queries over all rows; or all queries over a strip, and after these one query of which all strips are done.
    private bool isByRows;
    private bool isGuessing;
    private int partQueries;
    private int strips;
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
            Run(parts, running, isByRows ? strips : 0);
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
        if (isByRows && part >= strips)
        {
            Merge(part - strips, worker);
        }
        else if (isByRows)
        {
            if (worker.Parts++ == 0)
            {
                worker.Reset(batch, limit);
            }

            Scan(0, batch, part, worker.Parts, worker);
        }
        else
        {
            var first = part * partQueries;
            var count = Math.Min(partQueries, batch - first);
            worker.Reset(count, limit);
            for (var strip = 0; strip < strips; strip++)
            {
                Scan(first, count, strip, strip + 1, worker);
            }

            for (var i = 0; i < count; i++)
            {
                Finish(first + i, worker.Candidates[i], worker);
            }
        }
    }

    private static ulong Allowed(ItemMask? mask, int firstRow, int rows)
    {
        var inRange = rows >= Int8Rows.Block ? ulong.MaxValue : (1UL << rows) - 1;
        return mask is null ? inRange : mask.Words[firstRow / Int8Rows.Block] & inRange;
    }

    private int Runs => (int)(((long)floats.Count + StripWalk.RunRows - 1) / StripWalk.RunRows);

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
        quantized.Reset(batch, int8?.Stride ?? 0);
        Fit(ref isQuantized, batch);
        Fit(ref isSparse, batch);
        Fit(ref thresholds, batch);
        Fit(ref masks, batch);
        Fit(ref allowedRows, batch);
        groups.Reset(batch, floats.Count);
        var work = 0L;
        for (var query = 0; query < batch; query++)
        {
            var to = queries.AsSpan(query * floats.Stride, floats.Stride);
            given.Slice(query * floats.Dimension, floats.Dimension).CopyTo(to);
            to[floats.Dimension..].Clear();
            thresholds[query] = float.NegativeInfinity;
            masks[query] = givenMasks.Count == 0 ? null : givenMasks[query];

            // Where few more rows are allowed than wanted, bounds would save nothing.
            var rows = allowedRows[query] = masks[query]?.Count ?? floats.Count;
            isQuantized[query] = int8 is not null
                && rows / 2 > limit
                && quantized.TryAdd(query, Query(query)[..floats.Dimension], int8);
            isSparse[query] = !isQuantized[query] || 2L * Int8Rows.Block * rows < (long)settings.DenseRows * floats.Count;

            if (isQuantized[query] && masks[query] is { } mask)
            {
                groups.Add(query, mask, rows, isSparse[query] ? 0 : floats.Count);
            }
        }

        groups.Settle();
        for (var group = 0; group < groups.Count; group++)
        {
            work += (long)(groups.Cost(group) * floats.Stride);
        }

        for (var query = 0; query < batch; query++)
        {
            // Rows read here and there, or in fp32, take about four times as long.
            work += groups.Has(query) ? 0 : (long)allowedRows[query] * floats.Stride * (isSparse[query] ? 4 : 1);
        }

        return work;
    }

    private void Split(int running)
    {
        isByRows = running > 1 && batch < MostTogether * running;
        strips = Math.Clamp(floats.Count / settings.RowsOfStrip, 1, Math.Clamp(settings.Strips * (isByRows ? running : 1), 1, Math.Max(1, Runs)));
        isGuessing = int8 is not null && strips > 1 && guesses.AreWorthwhile;
        partQueries = isByRows ? batch : Math.Clamp(running == 1 ? batch : batch / (2 * running), 1, MostTogether);
        parts = isByRows && batch > 0 ? strips + batch : (batch + partQueries - 1) / partQueries;
        Array.ForEach(workers, w => w.Parts = 0);
    }

    /// <summary>Offers a strip to queries.</summary>
    /// <param name="firstQuery">The first of them.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="strip">Which.</param>
    /// <param name="number">As how many-th the worker does it, from one.</param>
    /// <param name="worker">Who does it.</param>
    private void Scan(int firstQuery, int count, int strip, int number, Worker worker)
    {
        var anyDense = false;
        for (var i = 0; i < count; i++)
        {
            var query = firstQuery + i;
            var candidates = worker.Candidates[i];
            if (isByRows)
            {
                candidates.Raise(Volatile.Read(ref thresholds[query]));
            }

            if (CanGuess(query))
            {
                candidates.Seen += AllowedIn(strip, query);
                candidates.Expect(Guesses.Rank(limit, (double)candidates.Seen / allowedRows[query]));
            }

            if (IsAlone(query) && isSparse[query])
            {
                for (var walk = new StripWalk(strip, strips, floats.Count); walk.Row >= 0; walk.Next())
                {
                    OfferEach(query, walk.Row, Allowed(masks[query], walk.Row, floats.Count - walk.Row), candidates, worker.Rescoring);
                }
            }

            anyDense |= IsAlone(query) && !isSparse[query];
        }

        for (var group = 0; group < groups.Count; group++)
        {
            ScanGroup(group, firstQuery, count, strip, worker);
        }

        if (anyDense)
        {
            ScanDense(firstQuery, count, strip, worker);
        }

        for (var i = 0; i < count; i++)
        {
            var candidates = worker.Candidates[i];
            while (!candidates.Waiting.IsEmpty)
            {
                OfferWaiting(firstQuery + i, candidates, worker.Rescoring);
            }

            // Later strips bring less and less that is new.
            if (CanGuess(firstQuery + i) && number < strips && BitOperations.IsPow2(number))
            {
                candidates.Compact();
            }

            if (isByRows)
            {
                Share(firstQuery + i, candidates.Threshold);
            }
        }
    }

    private bool IsAlone(int query) => !groups.Has(query);

    /// <summary>The rows that a group's masks allow to those of its queries that are meant.</summary>
    private void ScanGroup(int group, int firstQuery, int count, int strip, Worker worker)
    {
        worker.FitDense(count);
        var union = groups.Union(group);
        var (walk, taken) = (new StripWalk(strip, strips, floats.Count), 0UL);
        var (block, next) = (worker.Block, worker.NextBlock);
        for (block.Fill(union, ref walk, ref taken, int8!); !block.Rows.IsEmpty; (block, next) = (next, block))
        {
            next.Fill(union, ref walk, ref taken, int8!);
            var takers = 0;
            foreach (var query in groups.Members(group))
            {
                if (query >= firstQuery && query < firstQuery + count && block.Allowed(masks[query]!) is var allowed and not 0)
                {
                    (worker.Dense[takers], worker.Allowed[takers], worker.Takers[takers]) = (query, allowed, worker.Candidates[query - firstQuery]);
                    takers++;
                }
            }

            int8!.OfferPacked(block.Rows, quantized, worker.Dense.AsSpan(0, takers), worker.Allowed, worker.Takers, worker.Room!);
        }
    }

    /// <summary>A block of rows to all queries that want many rows, then the next.</summary>
    private void ScanDense(int firstQuery, int count, int strip, Worker worker)
    {
        worker.FitDense(count);
        var ordered = 0;
        for (var i = 0; i < count; i++)
        {
            worker.Order[ordered] = i;
            ordered += IsAlone(firstQuery + i) && !isSparse[firstQuery + i] ? 1 : 0;
        }

        for (var walk = new StripWalk(strip, strips, floats.Count); walk.Row >= 0;)
        {
            var dense = 0;
            var (row, left) = (walk.Row, floats.Count - walk.Row);
            foreach (var i in worker.Order.AsSpan(0, ordered))
            {
                var (query, candidates) = (firstQuery + i, worker.Candidates[i]);
                var allowed = Allowed(masks[query], row, left);
                if (BitOperations.PopCount(allowed) < Math.Min(settings.DenseRows, left))
                {
                    OfferEach(query, row, allowed, candidates, worker.Rescoring);
                    continue;
                }

                (worker.Dense[dense], worker.Allowed[dense], worker.Takers[dense]) = (query, allowed, candidates);
                dense++;
            }

            walk.Next();
            int8!.OfferBlock(row, quantized, worker.Dense.AsSpan(0, dense), worker.Allowed, worker.Takers, walk.Row, worker.Room!);
        }
    }

    // Where much of what is allowed is wanted, a sample would tell little.
    private bool CanGuess(int query) => isGuessing && isQuantized[query] && allowedRows[query] / settings.GuessFrom > limit;

    /// <summary>Rows of a strip that a query allows.</summary>
    private int AllowedIn(int strip, int query)
    {
        var rows = 0;
        for (var walk = new StripWalk(strip, strips, floats.Count); walk.Row >= 0; walk.Next())
        {
            rows += BitOperations.PopCount(Allowed(masks[query], walk.Row, floats.Count - walk.Row));
        }

        return rows;
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
            int8!.OfferWaiting(quantized.Int8Of(query), quantized[query], candidates);
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
    private void Merge(int query, Worker worker)
    {
        Candidates? all = null;
        foreach (var other in workers)
        {
            if (other.Parts == 0)
            {
                continue;
            }

            if (all is null)
            {
                all = other.Candidates[query];
            }
            else
            {
                all.Append(other.Candidates[query]);
            }
        }

        Finish(query, all!, worker);
    }

    private void Finish(int query, Candidates candidates, Worker worker)
    {
        candidates.Expect(limit);
        candidates.Compact();
        if (CanGuess(query))
        {
            var isProven = candidates.IsProven;
            guesses.Add(isProven);
            if (!isProven)
            {
                candidates = worker.Alone;
                candidates.Reset(limit);
                ScanAgain(query, candidates, worker);
                candidates.Compact();
            }
        }

        results[query] = isQuantized[query]
            ? worker.Rescoring.Best(Query(query), candidates, quantized[query].Scale, limit)
            : worker.Rescoring.Best(candidates, limit);
    }

    /// <summary>All rows once more for a query whose guessed threshold was too high.</summary>
    private void ScanAgain(int query, Candidates candidates, Worker worker)
    {
        Span<int> which = [query];
        for (var row = 0; row < floats.Count; row += Int8Rows.Block)
        {
            var allowed = Allowed(masks[query], row, floats.Count - row);
            if (isSparse[query])
            {
                OfferEach(query, row, allowed, candidates, worker.Rescoring);
            }
            else
            {
                int8!.OfferBlock(row, quantized, which, [allowed], [candidates], -1, worker.Room!);
            }
        }

        while (!candidates.Waiting.IsEmpty)
        {
            OfferWaiting(query, candidates, worker.Rescoring);
        }
    }

    private ReadOnlySpan<float> Query(int query) => queries.AsSpan(query * floats.Stride, floats.Stride);

    /// <summary>The memory of one thread.</summary>
    private sealed class Worker(FloatRows floats, Int8Rows? int8)
    {
        /// <summary>A query of a part each.</summary>
        public List<Candidates> Candidates { get; } = [];

        public Rescoring Rescoring { get; } = new(floats);

        /// <summary>Of a query that is searched by itself.</summary>
        public Candidates Alone { get; } = new();

        /// <summary>For blocks of rows.</summary>
        public Int8Room? Room { get; } = int8 is null ? null : new(int8.Stride);

        /// <summary>The rows of a group that are worked on.</summary>
        public PackedBlock Block { get; } = new();

        /// <summary>And those that are on their way.</summary>
        public PackedBlock NextBlock { get; } = new();

        /// <summary>Of the part's queries those that want many rows, counted from the first.</summary>
        public int[] Order { get; private set; } = [];

        /// <summary>The queries that a block is offered to.</summary>
        public int[] Dense { get; private set; } = [];

        /// <summary>For each of <see cref="Dense"/> the rows that it allows.</summary>
        public ulong[] Allowed { get; private set; } = [];

        /// <summary>For each of <see cref="Dense"/> what takes them.</summary>
        public Candidates[] Takers { get; private set; } = [];

        /// <summary>Parts of rows that it did in this search: none, and its candidates are another search's.</summary>
        public int Parts { get; set; }

        public void FitDense(int count)
        {
            if (Dense.Length < count)
            {
                (Order, Dense, Allowed, Takers) = (new int[count], new int[count], new ulong[count], new Candidates[count]);
            }
        }

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
