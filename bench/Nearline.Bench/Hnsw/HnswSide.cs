using System.Globalization;
using System.Runtime.InteropServices;
using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Bench.Hnsw;

/// <summary>Our side of the HNSW benchmark: an index over the case's rows, searched for its queries.</summary>
/// <remarks>The case's directory has <c>rows.f32</c>, [count, dimension], and <c>queries.f32</c>, [queries, dimension].</remarks>
internal sealed class HnswSide
{
    private const int Batch = 64;

    private readonly string directory;
    private readonly int limit;
    private readonly int threads;
    private readonly float[] queries;
    private readonly double buildSeconds;
    private readonly long anonymousBytes;
    private HnswIndex index;

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

    public object Describe() => new
    {
        index.Count,
        index.Dimension,
        Kernel = Int8Kernel.Supported[0].Name,
        BuildSeconds = buildSeconds,
        AnonymousBytes = anonymousBytes,
        index.MemoryBytes,
    };

    /// <summary>Writes the best rows, <c>found.i32</c>, [queries, limit], as our exact index finds them.</summary>
    public object Exact()
    {
        var rows = new float[(long)index.Count * index.Dimension];
        for (var row = 0; row < index.Count; row++)
        {
            index.Row(row).CopyTo(rows.AsSpan(row * index.Dimension));
        }

        var exact = new ExactIndex(rows, index.Dimension, threads);
        Round((part, _) => exact.Search(part, limit, []));
        return Round((part, _) => exact.Search(part, limit, []));
    }

    /// <summary>Searches for every query, and writes <c>found.i32</c>.</summary>
    public object Round(int breadth) => Round((part, _) => index.Search(part, limit, [], breadth));

    /// <summary>The same with masks that allow a share of the rows at random, against the exact search of the same index.</summary>
    public object Masked(int breadth, double share)
    {
        var random = new Random(1);
        ItemMask?[] masks = [.. Enumerable.Range(0, 16).Select(_ => ItemMask.Of(index.Count, _ => random.NextDouble() < share))];
        return Round((part, size) => index.Search(part, limit, [.. Enumerable.Range(0, size).Select(i => masks[i % masks.Length])], breadth));
    }

    /// <summary>Saves the index and opens it again: what is searched from now on is mapped.</summary>
    public object Reopen()
    {
        var path = Path.Combine(directory, "ours.hnsw");
        var save = Measured.Of(() => index.Save(path)).Seconds;
        var open = Measured.Of(() => index = HnswIndex.Open(path, threads: threads)).Seconds;
        return new { SaveSeconds = save, OpenSeconds = open, Bytes = new FileInfo(path).Length };
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
        return new { Queries = count, measured.Seconds };
    }
}
