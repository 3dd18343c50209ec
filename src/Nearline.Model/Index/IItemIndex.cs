namespace Nearline.Model.Index;

/// <summary>
/// Finds the rows of a matrix with the highest inner products. Immutable; safe for use from several threads. Whoever
/// disposes it sees to it that no search is under way.
/// </summary>
public interface IItemIndex : IDisposable
{
    /// <summary>What people call it, such as <c>exact-cpu</c>.</summary>
    string Backend { get; }

    /// <summary>How many rows it has.</summary>
    int Count { get; }

    /// <summary>How wide a row is.</summary>
    int Dimension { get; }

    /// <summary>What it holds in memory, on every device together.</summary>
    long MemoryBytes { get; }

    /// <summary>One row, [dimension].</summary>
    ReadOnlySpan<float> Row(int row);

    /// <summary>The best rows for each query of a batch.</summary>
    /// <param name="queries">[batch, dimension], row-major, finite.</param>
    /// <param name="limit">Rows a query, from one; fewer are returned when fewer pass the mask.</param>
    /// <param name="masks">For each query the rows that may be returned, null for all; or an empty list for all.</param>
    /// <exception cref="ArgumentException">Queries, limit or masks do not fit.</exception>
    SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks);

    /// <summary>Gives back what the collector does not: nothing, unless a backend says so.</summary>
    void IDisposable.Dispose()
    {
    }
}
