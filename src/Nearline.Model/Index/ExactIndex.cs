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

    internal ExactIndex(ReadOnlySpan<float> rows, int dimension, SearchSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        if (rows.Length % dimension != 0)
        {
            throw new ArgumentException($"rows: {rows.Length} values: must be a multiple of the dimension, {dimension}", nameof(rows));
        }

        this.settings = settings;
        helpers = [.. Enumerable.Range(1, settings.Threads - 1).Select(_ => new SearchHelper())];
        floats = new FloatRows(rows.Length / dimension, dimension);
        for (var row = 0; row < Count; row++)
        {
            var values = rows.Slice(row * dimension, dimension);
            if (FirstNotFinite(values) is var column and >= 0)
            {
                throw new ArgumentException($"row {row}, column {column}: {values[column]}: must be finite", nameof(rows));
            }

            values.CopyTo(floats[row]);
        }

        if (settings.Kernel is { } kernel && Count > 0 && Int8Rows.StrideOf(dimension) <= Int8Kernel.MaxStride)
        {
            int8 = new Int8Rows(floats, kernel, settings.Threads);
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
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentNullException.ThrowIfNull(masks);
        Check(queries, masks);
        return Rent().Search(queries, Math.Max(1, Math.Min(limit, Count)), masks);
    }

    private static SearchSettings Settings(int? threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads ?? 1, 1, nameof(threads));
        return threads is { } count ? new SearchSettings { Threads = count } : new SearchSettings();
    }

    private static int FirstNotFinite(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private SearchJob Rent()
    {
        lock (idle)
        {
            if (idle.TryPop(out var job))
            {
                return job;
            }
        }

        return new SearchJob(floats, int8, settings, helpers) { Release = Return };
    }

    private void Return(SearchJob job)
    {
        lock (idle)
        {
            idle.Push(job);
        }
    }

    private void Check(ReadOnlySpan<float> queries, IReadOnlyList<ItemMask?> masks)
    {
        if (queries.Length % Dimension != 0)
        {
            throw new ArgumentException(
                $"queries: {queries.Length} values: must be a multiple of the dimension, {Dimension}", nameof(queries));
        }

        if (FirstNotFinite(queries) is var at and >= 0)
        {
            throw new ArgumentException(
                $"query {at / Dimension}, column {at % Dimension}: {queries[at]}: must be finite", nameof(queries));
        }

        var batch = queries.Length / Dimension;
        if (masks.Count != 0 && masks.Count != batch)
        {
            throw new ArgumentException($"masks: {masks.Count} of them: must be one a query, {batch}, or none", nameof(masks));
        }

        for (var query = 0; query < masks.Count; query++)
        {
            if (masks[query] is { } mask && mask.Length != Count)
            {
                throw new ArgumentException(
                    $"mask {query}: of {mask.Length} rows: must be of {Count}, the index's", nameof(masks));
            }
        }
    }
}
