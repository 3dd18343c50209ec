using Nearline.Model.Index;

namespace Nearline.Model.Serving;

/// <summary>
/// The places that new shows have in sets. Nobody has watched a new show, so its score holds what content lets expect,
/// and expectation loses to the best of thousands of known scores. So a new show stands where it would if all shows were
/// new: behind as many known shows as have a better score than it by content alone, estimated from a sample of them;
/// before that where its score wins it a better place.
/// </summary>
/// <param name="asNew">The sample as the model scores new shows.</param>
/// <param name="rows">Its rows in the index of the model's shows.</param>
internal sealed class NewShowPlaces(ExactIndex asNew, IReadOnlyList<int> rows)
{
    /// <summary>The most that new shows get of a set beyond what their scores win: a catalog that doubles overnight must not halve what is known to be good.</summary>
    public const double MaxShare = 0.2;

    /// <summary>How far down a set each found new show may stand: the number of known shows before it, at most.</summary>
    /// <param name="queries">[batch, dimension].</param>
    /// <param name="side">The new shows found for each query, best first.</param>
    /// <param name="masks">The known shows that each user may get.</param>
    /// <param name="limit">Shows in a set.</param>
    /// <param name="boost">How many times further up than content says, above 0.</param>
    public int[][] Of(ReadOnlySpan<float> queries, IReadOnlyList<SearchResult> side, IReadOnlyList<ItemMask?> masks, int limit, double boost)
    {
        var allowed = masks.Select(mask => ItemMask.Of(rows.Count, i => mask?[rows[i]] != false)).ToArray();
        var scales = masks.Select((mask, q) => (mask?.Count ?? asNew.Count) / Math.Max(1.0, allowed[q].Count)).ToArray();

        // No more of the sample than decides who is among the first.
        var depth = (int)Math.Min(asNew.Count, Math.Ceiling(limit * boost / scales.Min()) + 1);
        var before = asNew.Search(queries, depth, allowed);
        return [.. side.Select((found, q) => Places(found, before[q], isAll: before[q].Rows.Length == allowed[q].Count, scales[q] / boost))];
    }

    /// <summary>One ranking of both segments, each in its own order.</summary>
    /// <param name="known">Of the model's shows.</param>
    /// <param name="side">Of the new shows, rows counted from zero.</param>
    /// <param name="places">Of <paramref name="side"/>, as <see cref="Of"/> gives them; empty: scores alone decide.</param>
    /// <param name="offset">The rows of the model's shows, which those of the new shows come after.</param>
    /// <param name="limit">Rows at most.</param>
    /// <returns>
    /// In the order of the scores, of equal ones the known show first: a new show in a place that its score did not win has
    /// the score of the known show which it stands before.
    /// </returns>
    public static SearchResult Merge(SearchResult known, SearchResult side, ReadOnlySpan<int> places, int offset, int limit)
    {
        var count = Math.Min(limit, known.Rows.Length + side.Rows.Length);
        var merged = new SearchResult(new int[count], new float[count]);
        for (int i = 0, k = 0, s = 0; i < count; i++)
        {
            var isDue = s < places.Length && places[s] <= k && s < Math.Floor(((i + 1) * MaxShare) + 0.5);
            var isKnown = s == side.Rows.Length || (k < known.Rows.Length && !isDue && known.Scores[k] >= side.Scores[s]);
            merged.Rows[i] = isKnown ? known.Rows[k] : side.Rows[s] + offset;
            merged.Scores[i] = isKnown ? known.Scores[k++] : Math.Max(side.Scores[s++], k < known.Rows.Length ? known.Scores[k] : float.NegativeInfinity);
        }

        return merged;
    }

    private static int[] Places(SearchResult found, SearchResult before, bool isAll, double scale)
    {
        var places = new int[found.Rows.Length];
        for (int s = 0, better = 0; s < places.Length; s++)
        {
            while (better < before.Scores.Length && before.Scores[better] >= found.Scores[s])
            {
                better++;
            }

            // Half a step on: in a sample of every third show, the first stands behind one other on average.
            places[s] = better == before.Scores.Length && !isAll ? int.MaxValue : (int)Math.Min(int.MaxValue, (better + 0.5) * scale);
        }

        return places;
    }
}
