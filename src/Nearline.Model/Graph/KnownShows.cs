namespace Nearline.Model.Graph;

/// <summary>Shows of a model, placed as if it did not know them.</summary>
/// <param name="Rows">Their rows in the index, ascending.</param>
/// <param name="Cgs">Where their CG embeddings would lie, [shows, width], row-major.</param>
internal sealed record KnownShows(int[] Rows, float[] Cgs);
