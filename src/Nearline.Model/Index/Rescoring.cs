namespace Nearline.Model.Index;

/// <summary>Turns candidates into the best rows by fp32 scores, with memory that it keeps.</summary>
internal sealed class Rescoring(FloatRows floats)
{
    private readonly float[] block = new float[Int8Rows.Block];
    private int[] rows = [];
    private float[] scores = [];
    private ulong[] keys = [];
    private ulong[] spare = [];

    /// <summary>Offers the rows that wait, by their scores.</summary>
    public void OfferWaiting(ReadOnlySpan<float> query, Candidates candidates)
    {
        candidates.MakeRoom();
        floats.Score(query, candidates.Waiting, block);
        for (var i = 0; i < candidates.Waiting.Length; i++)
        {
            if (block[i] >= candidates.Threshold)
            {
                candidates.Add(candidates.Waiting[i], block[i]);
            }
        }

        candidates.Served();
    }

    /// <summary>The best of candidates that are bounded.</summary>
    /// <param name="query">In fp32.</param>
    /// <param name="candidates">All that may be among the best.</param>
    /// <param name="scale">What bounds are in units of.</param>
    /// <param name="limit">Rows at most.</param>
    public SearchResult Best(ReadOnlySpan<float> query, Candidates candidates, float scale, int limit)
    {
        candidates.Compact();
        var all = candidates.Rows;
        var lower = candidates.Lower;
        var upper = candidates.Upper;
        Fit(all.Length);

        // As many as wanted, or a few more, by the lower bound: their scores make a threshold that most others miss.
        var count = 0;
        for (var i = 0; i < all.Length; i++)
        {
            rows[count] = all[i];
            count += lower[i] >= candidates.Threshold ? 1 : 0;
        }

        floats.Score(query, rows.AsSpan(0, count), scores);
        if (count < all.Length)
        {
            var least = (double)Selection.Highest(scores.AsSpan(0, Padded(count)), count, limit);
            var first = count;
            for (var i = 0; i < all.Length; i++)
            {
                // The product of two floats is exact in double.
                rows[count] = all[i];
                count += lower[i] < candidates.Threshold && (double)upper[i] * scale >= least ? 1 : 0;
            }

            floats.Score(query, rows.AsSpan(first, count - first), scores.AsSpan(first));
        }

        return Sorted(count, limit);
    }

    /// <summary>The best of candidates whose bounds are their scores.</summary>
    public SearchResult Best(Candidates candidates, int limit)
    {
        candidates.Compact();
        Fit(candidates.Rows.Length);
        candidates.Rows.CopyTo(rows);
        candidates.Lower.CopyTo(scores);
        return Sorted(candidates.Rows.Length, limit);
    }

    /// <summary>The best of some rows by their scores.</summary>
    public SearchResult Best(ReadOnlySpan<float> query, ReadOnlySpan<int> some, int limit)
    {
        Fit(some.Length);
        some.CopyTo(rows);
        floats.Score(query, some, scores);
        return Sorted(some.Length, limit);
    }

    private static int Padded(int count) => (count + Selection.Lanes - 1) / Selection.Lanes * Selection.Lanes;

    private SearchResult Sorted(int count, int limit)
    {
        var least = count > limit ? Selection.Highest(scores.AsSpan(0, Padded(count)), count, limit) : float.NegativeInfinity;
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            keys[kept] = Selection.Key(scores[i], rows[i]);
            kept += scores[i] >= least ? 1 : 0;
        }

        // Ascending by key is best first.
        Selection.Sort(keys.AsSpan(0, kept), spare);
        var result = new SearchResult(new int[Math.Min(limit, kept)], new float[Math.Min(limit, kept)]);
        for (var i = 0; i < result.Rows.Length; i++)
        {
            (result.Rows[i], result.Scores[i]) = (Selection.Row(keys[i]), Selection.Score(keys[i]));
        }

        return result;
    }

    private void Fit(int count)
    {
        // One more: what is written and not kept.
        if (rows.Length < count + 1)
        {
            var length = Padded(Math.Max(count + 1, 2 * rows.Length));
            (rows, scores, keys, spare) = (new int[length], new float[length], new ulong[length], new ulong[length]);
        }
    }
}
