namespace Nearline.Model.Index;

/// <summary>The best rows for one query.</summary>
/// <param name="Rows">Rows of the index, best first; of equal scores the lower row first.</param>
/// <param name="Scores">Their inner products with the query, as long as <paramref name="Rows"/>.</param>
public sealed record SearchResult(int[] Rows, float[] Scores)
{
    /// <summary>The best of two segments.</summary>
    /// <param name="main">Of the first segment.</param>
    /// <param name="side">Of the second, its rows counted from zero.</param>
    /// <param name="offset">The rows of the first segment, which those of the second come after.</param>
    /// <param name="limit">Rows at most.</param>
    internal static SearchResult Merge(SearchResult main, SearchResult side, int offset, int limit)
    {
        var count = Math.Min(limit, main.Rows.Length + side.Rows.Length);
        var merged = new SearchResult(new int[count], new float[count]);
        for (int i = 0, m = 0, s = 0; i < count; i++)
        {
            var isMain = s == side.Rows.Length || (m < main.Rows.Length && main.Scores[m] >= side.Scores[s]);
            merged.Rows[i] = isMain ? main.Rows[m] : side.Rows[s] + offset;
            merged.Scores[i] = isMain ? main.Scores[m++] : side.Scores[s++];
        }

        return merged;
    }
}
