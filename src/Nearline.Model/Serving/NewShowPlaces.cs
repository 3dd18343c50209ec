using Nearline.Model.Index;

namespace Nearline.Model.Serving;

/// <summary>
/// The places of a set that new shows have at least. Nobody has watched a new show, so its score holds what content lets
/// expect, and expectation loses to the best of thousands: by scores alone new shows would hardly be found before the
/// next model. So among the first k places of a set are, for each k, at least as many of them as their share of k,
/// rounded; the best by score come first.
/// </summary>
/// <param name="Share">Of the places, from 0 to <see cref="MaxShare"/>.</param>
internal readonly record struct NewShowPlaces(double Share)
{
    /// <summary>The most that is set aside for new shows: a catalog that doubles overnight must not halve what is known to be good.</summary>
    public const double MaxShare = 0.2;

    /// <summary>Those that their scores win.</summary>
    public static NewShowPlaces None => new(0);

    /// <summary>Their share of what a user may get, times a boost, at most <see cref="MaxShare"/>.</summary>
    /// <param name="newShows">New shows that the user may get.</param>
    /// <param name="knownShows">Other shows that the user may get.</param>
    /// <param name="boost">Times this.</param>
    public static NewShowPlaces Of(int newShows, int knownShows, double boost) =>
        newShows == 0 ? None : new NewShowPlaces(Math.Min(MaxShare, boost * newShows / ((double)newShows + knownShows)));

    /// <summary>
    /// One ranking of both segments: each keeps its order, and where no place is due to new shows the better score comes
    /// next, of equal ones the known show.
    /// </summary>
    /// <param name="known">Of the model's shows.</param>
    /// <param name="side">Of the new shows, rows counted from zero.</param>
    /// <param name="offset">The rows of the model's shows, which those of the new shows come after.</param>
    /// <param name="limit">Rows at most.</param>
    /// <returns>
    /// In the order of the scores: a new show in a place that was due to it has the score of the known show which it
    /// stands before.
    /// </returns>
    public SearchResult Merge(SearchResult known, SearchResult side, int offset, int limit)
    {
        var count = Math.Min(limit, known.Rows.Length + side.Rows.Length);
        var merged = new SearchResult(new int[count], new float[count]);
        for (int i = 0, k = 0, s = 0; i < count; i++)
        {
            var isDue = s < Math.Floor(((i + 1) * Share) + 0.5);
            var isKnown = s == side.Rows.Length || (k < known.Rows.Length && !isDue && known.Scores[k] >= side.Scores[s]);
            merged.Rows[i] = isKnown ? known.Rows[k] : side.Rows[s] + offset;
            merged.Scores[i] = isKnown ? known.Scores[k++] : Math.Max(side.Scores[s++], k < known.Rows.Length ? known.Scores[k] : float.NegativeInfinity);
        }

        return merged;
    }
}
