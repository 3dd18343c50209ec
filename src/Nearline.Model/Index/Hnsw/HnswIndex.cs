namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Approximate maximum inner product search on the CPU for catalogs that are too large to read for each query: a graph of
/// near rows is walked through (HNSW; Malkov and Yashunin, 2018). Scores are those of <see cref="ExactIndex"/>, bit for
/// bit; some of the best rows may be missing. Where few rows are allowed all of them are scored, and nothing is missing.
/// </summary>
/// <remarks>An index that was opened reads the file as it goes: the file must not be written to.</remarks>
public sealed class HnswIndex : IItemIndex
{
    private readonly HnswRows rows;
    private readonly HnswGraph graph;
    private readonly ExactIndex exact;
    private readonly SearchCost cost;
    private readonly int threads;
    private readonly SearchHelper[] helpers;
    private readonly Stack<HnswSearch> idle = [];

    internal HnswIndex(HnswRows rows, HnswGraph graph, HnswSettings settings, SearchCost? cost = null)
    {
        (this.rows, this.graph, Settings) = (rows, graph, settings);
        this.cost = cost ?? new SearchCost();
        threads = settings.Threads ?? Environment.ProcessorCount;
        exact = new ExactIndex(rows.Floats, rows.Int8, new SearchSettings { Threads = threads });
        helpers = [.. Enumerable.Range(1, threads - 1).Select(_ => new SearchHelper())];
    }

    /// <summary>Fills a row of a matrix.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values">[dimension], zero before.</param>
    public delegate void RowWriter(int row, Span<float> values);

    /// <inheritdoc/>
    public string Backend => "hnsw";

    /// <inheritdoc/>
    public int Count => rows.Floats.Count;

    /// <inheritdoc/>
    public int Dimension => rows.Floats.Dimension;

    /// <inheritdoc/>
    public long MemoryBytes => rows.MemoryBytes + graph.MemoryBytes;

    /// <summary>How it was built and is searched.</summary>
    public HnswSettings Settings { get; }

    /// <summary>The graph.</summary>
    internal HnswGraph Graph => graph;

    /// <summary>Builds an index; the rows are copied.</summary>
    /// <param name="rows">[count, dimension], row-major, finite; count may be 0.</param>
    /// <param name="dimension">From one to 66,048.</param>
    /// <param name="settings">Null: the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the dimension, a value is not finite, or a setting is out of range.</exception>
    public static HnswIndex Build(
        ReadOnlySpan<float> rows, int dimension, HnswSettings? settings = null, CancellationToken cancellation = default)
    {
        var floats = Rows(SearchInput.CountRows(rows, dimension), dimension, settings ??= new HnswSettings());
        for (var row = 0; row < floats.Count; row++)
        {
            rows.Slice(row * dimension, dimension).CopyTo(floats[row]);
        }

        return Build(floats, settings, cancellation);
    }

    /// <summary>Builds an index of rows that do not fit one span.</summary>
    /// <param name="count">Rows, from zero.</param>
    /// <param name="dimension">From one to 66,048.</param>
    /// <param name="write">Called for each row, in order.</param>
    /// <param name="settings">Null: the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <inheritdoc cref="Build(ReadOnlySpan{float}, int, HnswSettings?, CancellationToken)" path="/exception"/>
    public static HnswIndex Build(
        int count, int dimension, RowWriter write, HnswSettings? settings = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentNullException.ThrowIfNull(write);
        var floats = Rows(count, dimension, settings ??= new HnswSettings());
        for (var row = 0; row < count; row++)
        {
            write(row, floats[row]);
        }

        return Build(floats, settings, cancellation);
    }

    /// <summary>Opens a file that <see cref="Save"/> wrote; its rows are mapped into memory, not read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="searchBreadth">As in <see cref="HnswSettings.SearchBreadth"/>.</param>
    /// <param name="threads">As in <see cref="HnswSettings.Threads"/>.</param>
    /// <exception cref="InvalidDataException">The file is no such file, of another version, truncated, or changed.</exception>
    public static HnswIndex Open(string path, int? searchBreadth = null, int? threads = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        new HnswSettings { SearchBreadth = searchBreadth, Threads = threads }.Check();
        var (rows, graph, settings) = HnswFile.Open(path);
        return new HnswIndex(rows, graph, settings with { SearchBreadth = searchBreadth, Threads = threads });
    }

    /// <summary>The rows that a search keeps while it walks, where no other number is given: the more, the more of the best are found.</summary>
    /// <param name="limit">Rows that are wanted.</param>
    public static int DefaultBreadth(int limit) => Math.Max(200, (int)Math.Min(int.MaxValue, 2L * limit));

    /// <summary>Writes it to a file; one that is there is replaced when all is written.</summary>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        HnswFile.Save(path, rows, graph, Settings);
        GC.KeepAlive(this);
    }

    /// <summary>One row, [dimension]; of an index that was opened, as long as the index is there.</summary>
    public ReadOnlySpan<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return rows.Floats[row];
    }

    /// <inheritdoc/>
    public SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks) =>
        Search(queries, limit, masks, Settings.SearchBreadth ?? DefaultBreadth(limit));

    /// <inheritdoc cref="IItemIndex.Search"/>
    /// <param name="queries">[batch, dimension], row-major, finite.</param>
    /// <param name="limit">Rows a query, from one; fewer are returned when fewer pass the mask.</param>
    /// <param name="masks">For each query the rows that may be returned, null for all; or an empty list for all.</param>
    /// <param name="breadth">Rows to keep while walking, from one, ef in the paper; never fewer than <paramref name="limit"/>.</param>
    public SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks, int breadth)
    {
        SearchInput.Check(queries, limit, masks, Count, Dimension);
        ArgumentOutOfRangeException.ThrowIfLessThan(breadth, 1);
        limit = Math.Max(1, Math.Min(limit, Count));
        var found = Rent().Search(queries, limit, masks, Math.Max(limit, Math.Min(breadth, Count)));

        // Memory of a file is unmapped with the index.
        GC.KeepAlive(this);
        return found;
    }

    /// <summary>The same index, searched as other costs demand.</summary>
    internal HnswIndex With(SearchCost other) => new(rows, graph, Settings, other);

    private static FloatRows Rows(int count, int dimension, HnswSettings settings)
    {
        settings.Check();
        return dimension <= Int8Kernel.MaxStride
            ? new FloatRows(count, dimension)
            : throw new ArgumentException($"dimension: {dimension}: must be at most {Int8Kernel.MaxStride}", nameof(dimension));
    }

    private static HnswIndex Build(FloatRows floats, HnswSettings settings, CancellationToken cancellation)
    {
        for (var row = 0; row < floats.Count; row++)
        {
            SearchInput.CheckRow(row, floats[row]);
        }

        var cores = settings.BuildThreads ?? Environment.ProcessorCount;
        var int8 = new Int8Rows(floats, Int8Kernel.Supported[0], cores);
        return new HnswIndex(
            new HnswRows(floats, int8), HnswBuilder.Build(int8, floats.Count, settings, cores, cancellation), settings);
    }

    private HnswSearch Rent()
    {
        lock (idle)
        {
            if (idle.TryPop(out var search))
            {
                return search;
            }
        }

        return new HnswSearch(rows, graph, exact, cost, threads, helpers) { Release = Return };
    }

    private void Return(HnswSearch search)
    {
        lock (idle)
        {
            idle.Push(search);
        }
    }
}
