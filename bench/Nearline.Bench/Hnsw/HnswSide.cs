using System.Globalization;
using System.Runtime.InteropServices;
using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Bench.Hnsw;

/// <summary>Our side of the HNSW benchmark: an index over the case's rows, searched for its queries.</summary>
/// <remarks>The case's directory has <c>rows.f32</c>, [count, dimension], and <c>queries.f32</c>, [queries, dimension].</remarks>
internal sealed class HnswSide : IDisposable
{
    private const int Batch = 64;

    private readonly string directory;
    private readonly int limit;
    private readonly int threads;
    private readonly float[] queries;
    private readonly double buildSeconds;
    private readonly long anonymousBytes;
    private readonly Dictionary<double, ItemMask?[]> masks = [];
    private HnswIndex index;
    private ExactIndex? exact;

    public HnswSide(string directory, int dimension, int limit, HnswSettings settings)
    {
        (this.directory, this.limit, threads) = (directory, limit, settings.Threads ?? Environment.ProcessorCount);
        queries = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(directory, "queries.f32"))).ToArray();
        var before = AnonymousBytes();
        HnswIndex? built = null;
        using var rows = File.OpenHandle(Path.Combine(directory, "rows.f32"));
        var count = (int)(RandomAccess.GetLength(rows) / (sizeof(float) * dimension));
        buildSeconds = Measured.Of(() => built = HnswIndex.Build(
            count, dimension, (row, values) => RandomAccess.Read(rows, MemoryMarshal.AsBytes(values), (long)row * dimension * sizeof(float)), settings)).Seconds;
        index = built!;
        anonymousBytes = AnonymousBytes() - before;
    }

    private ExactIndex Exactly
    {
        get
        {
            if (exact is null)
            {
                var rows = new float[(long)index.Count * index.Dimension];
                for (var row = 0; row < index.Count; row++)
                {
                    index.Row(row).CopyTo(rows.AsSpan(row * index.Dimension));
                }

                exact = new ExactIndex(rows, index.Dimension, threads);
            }

            return exact;
        }
    }

    public void Dispose()
    {
        ((IDisposable)index).Dispose();
        ((IDisposable?)exact)?.Dispose();
    }

    public object Describe() => new
    {
        index.Count,
        index.Dimension,
        Kernel = Int8Kernel.Supported[0].Name,
        BuildSeconds = buildSeconds,
        AnonymousBytes = anonymousBytes,
        index.MemoryBytes,
    };

    /// <summary>Searches for every query by an exact index of the same rows, and writes <c>found.i32</c>, [queries, limit].</summary>
    public object Exact() => Round((part, _) => Exactly.Search(part, limit, []));

    /// <summary>Searches for every query, and writes <c>found.i32</c>.</summary>
    public object Round(int breadth) => Round((part, _) => index.Search(part, limit, [], breadth));

    /// <summary>The same with masks that allow a share of the rows at random.</summary>
    public object Masked(int breadth, double share) => Round((part, size) => index.Search(part, limit, Masks(share, size), breadth));

    /// <summary>The same by the exact index.</summary>
    public object MaskedExact(double share) => Round((part, size) => Exactly.Search(part, limit, Masks(share, size)));

    /// <summary>Saves the index and opens it again: what is searched from now on is mapped.</summary>
    public object Reopen()
    {
        var path = Path.Combine(directory, "ours.hnsw");
        var save = Measured.Of(() => index.Save(path)).Seconds;
        var open = Measured.Of(() => index = HnswIndex.Open(path, threads: threads)).Seconds;
        return new { SaveSeconds = save, OpenSeconds = open, Bytes = new FileInfo(path).Length };
    }

    private ArraySegment<ItemMask?> Masks(double share, int size)
    {
        if (!masks.TryGetValue(share, out var all))
        {
            var random = new Random(1);
            masks[share] = all = [.. Enumerable.Range(0, Batch).Select(_ => ItemMask.Of(index.Count, _ => random.NextDouble() < share))];
        }

        return new ArraySegment<ItemMask?>(all, 0, size);
    }

    private static long AnonymousBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return File.ReadLines("/proc/self/status").Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
            .Select(line => 1024 * long.Parse(line.AsSpan(8, line.Length - 10), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture)).Single();
    }

    private delegate SearchResult[] Searching(ReadOnlySpan<float> part, int size);

    private object Round(Searching search)
    {
        var count = queries.Length / index.Dimension;
        var found = new List<SearchResult>(count);
        var measured = Measured.Of(() =>
        {
            for (var from = 0; from < count; from += Batch)
            {
                var size = Math.Min(Batch, count - from);
                found.AddRange(search(queries.AsSpan(from * index.Dimension, size * index.Dimension), size));
            }
        });
        var rows = new int[(long)count * limit];
        for (var query = 0; query < count; query++)
        {
            rows.AsSpan(query * limit, limit).Fill(-1);
            found[query].Rows.CopyTo(rows, query * limit);
        }

        File.WriteAllBytes(Path.Combine(directory, "found.i32"), MemoryMarshal.AsBytes(rows.AsSpan()).ToArray());
        return new { Queries = count, measured.Seconds, measured.CpuSeconds };
    }
}
