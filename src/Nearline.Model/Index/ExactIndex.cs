namespace Nearline.Model.Index;

/// <summary>
/// Exact maximum inner product search on the CPU. A pass over int8 rows bounds every score; rows that may be among the
/// best are scored in fp32. The results are those of fp32 scores of all rows, bit for bit; a row's score does not depend
/// on what else is in the batch, and of equal scores the lower row wins. docs/index.md has the proof.
/// </summary>
public sealed class ExactIndex : IItemIndex
{
    private readonly FloatRows floats;
    private readonly Int8Rows? int8;
    private readonly SearchSettings settings;
    private readonly SearchHelper[] helpers;
    private readonly Guesses guesses;
    private readonly Stack<SearchJob> idle = [];

    /// <summary>Copies a matrix.</summary>
    /// <param name="rows">[count, dimension], row-major, finite; count may be 0.</param>
    /// <param name="dimension">From one.</param>
    /// <param name="threads">That a search may use, the caller's among them; null: as many as there are cores. Searches
    /// too small to gain, and all with 1, run on the caller's alone.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the dimension, or a value is not finite.</exception>
    public ExactIndex(ReadOnlySpan<float> rows, int dimension, int? threads = null)
        : this(rows, dimension, Settings(threads))
    {
    }

    internal ExactIndex(FloatRows floats, Int8Rows? int8, SearchSettings settings)
    {
        (this.floats, this.int8, this.settings, guesses) = (floats, int8, settings, new Guesses());
        helpers = Helpers(settings);
    }

    internal ExactIndex(ReadOnlySpan<float> rows, int dimension, SearchSettings settings, Guesses? guesses = null)
    {
        this.guesses = guesses ?? new Guesses();
        var count = SearchInput.CountRows(rows, dimension);
        this.settings = settings;
        helpers = Helpers(settings);
        floats = new FloatRows(count, dimension);
        for (var row = 0; row < Count; row++)
        {
            var values = rows.Slice(row * dimension, dimension);
            SearchInput.CheckRow(row, values);
            values.CopyTo(floats[row]);
        }

        if (settings.Kernel is { } kernel && Count > 0 && Int8Rows.StrideOf(dimension) <= Int8Kernel.MaxStride)
        {
            int8 = new Int8Rows(floats, kernel, settings.BuildThreads ?? settings.Threads);
        }
    }

    /// <inheritdoc/>
    public string Backend => "exact-cpu";

    /// <inheritdoc/>
    public int Count => floats.Count;

    /// <inheritdoc/>
    public int Dimension => floats.Dimension;

    /// <inheritdoc/>
    public long MemoryBytes => floats.MemoryBytes + (int8?.MemoryBytes ?? 0);

    /// <summary>One row, [dimension].</summary>
    public ReadOnlySpan<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return floats[row];
    }

    /// <inheritdoc/>
    public SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks)
    {
        SearchInput.Check(queries, limit, masks, Count, Dimension);
        return Rent().Search(queries, Math.Max(1, Math.Min(limit, Count)), masks);
    }

    private static SearchSettings Settings(int? threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads ?? 1, 1, nameof(threads));
        return threads is { } count ? new SearchSettings { Threads = count } : new SearchSettings();
    }

    private static SearchHelper[] Helpers(SearchSettings settings) =>
        [.. Enumerable.Range(1, settings.Threads - 1).Select(_ => new SearchHelper())];

    private SearchJob Rent()
    {
        lock (idle)
        {
            if (idle.TryPop(out var job))
            {
                return job;
            }
        }

        return new SearchJob(floats, int8, settings, helpers, guesses) { Release = Return };
    }

    private void Return(SearchJob job)
    {
        lock (idle)
        {
            idle.Push(job);
        }
    }
}
