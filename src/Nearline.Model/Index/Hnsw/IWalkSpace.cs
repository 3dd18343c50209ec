namespace Nearline.Model.Index.Hnsw;

/// <summary>What a walk looks for: how near rows are to something. A structure, so that each has a walk of its own.</summary>
internal interface IWalkSpace
{
    /// <summary>Fetches a row that will be scored.</summary>
    void Prefetch(int row);

    /// <summary>Scores rows, the higher the nearer.</summary>
    /// <param name="rows">A multiple of <see cref="Int8Kernel.Rows"/> of them.</param>
    /// <param name="scores">As many.</param>
    void Score(ReadOnlySpan<int> rows, Span<float> scores);
}
