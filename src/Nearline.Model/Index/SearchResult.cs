namespace Nearline.Model.Index;

/// <summary>The best rows for one query.</summary>
/// <param name="Rows">Rows of the index, best first; of equal scores the lower row first.</param>
/// <param name="Scores">Their inner products with the query, as long as <paramref name="Rows"/>.</param>
public sealed record SearchResult(int[] Rows, float[] Scores);
