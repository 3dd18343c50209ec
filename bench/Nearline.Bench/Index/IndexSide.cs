using System.Diagnostics;
using System.Runtime.InteropServices;
using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Bench.Index;

/// <summary>Our side of the index benchmark: an index over the case's rows, searched for its queries.</summary>
/// <remarks>
/// The case's directory has <c>rows.f32</c>, [count, dimension], <c>queries.f32</c>, [queries, dimension], and
/// for each kind of masks one, [queries, count], a byte a row: <c>pool.u8</c> and <c>own.u8</c>.
/// </remarks>
internal sealed class IndexSide
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    private readonly string directory;
    private readonly int limit;
    private readonly IItemIndex index;
    private readonly float[] queries;
    private readonly Dictionary<string, ItemMask?[]> masks;
    private readonly double buildSeconds;
    private readonly Dictionary<string, double> bytesAnItem;

    public IndexSide(string directory, int dimension, int limit, int threads, string backend, string device)
    {
        (this.directory, this.limit) = (directory, limit);
        queries = Floats("queries.f32");
        var rows = Floats("rows.f32");
        IItemIndex? built = null;
        buildSeconds = Measured.Of(() => built = backend switch
        {
            IndexBackends.ExactCpu => new ExactIndex(rows, dimension, threads),
            IndexBackends.ExactTorch => new TorchIndex(rows, dimension, device),
            _ => throw new ArgumentException($"--backend: '{backend}': must be {IndexBackends.ExactCpu} or {IndexBackends.ExactTorch}", nameof(backend)),
        }).Seconds;
        index = built!;
        bytesAnItem = (backend == IndexBackends.ExactCpu ? Others(rows, dimension) : []).Prepend(built!)
            .ToDictionary(i => i.Backend, i => (double)i.MemoryBytes / i.Count);
        masks = new() { ["all"] = [], ["pool"] = Masks("pool.u8"), ["own"] = Masks("own.u8") };
    }

    public object Describe() => new
    {
        index.Count,
        index.Dimension,
        Queries = queries.Length / index.Dimension,
        index.Backend,
        Kernel = Int8Kernel.Supported[0].Name,
        BuildSeconds = buildSeconds,
        BytesAnItem = bytesAnItem,
    };

    /// <summary>
    /// Writes the rows and scores found: <c>ours.rows</c> in int32 and <c>ours.scores</c> in fp32, [queries, limit]. Then
    /// searches for a while, so that rounds meet code in the form that the runtime gives to what runs often.
    /// </summary>
    public object Check(int batch, string which)
    {
        var found = Search(batch, which).SelectMany(r => r).ToArray();
        File.WriteAllBytes(Path.Combine(directory, "ours.rows"), MemoryMarshal.AsBytes<int>(found.SelectMany(f => f.Rows).ToArray()).ToArray());
        File.WriteAllBytes(Path.Combine(directory, "ours.scores"), MemoryMarshal.AsBytes<float>(found.SelectMany(f => f.Scores).ToArray()).ToArray());
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;)
        {
            Round(batch, which);
        }

        return new { Queries = found.Length };
    }

    /// <summary>Searches for every query.</summary>
    public object Round(int batch, string which)
    {
        var secondPasses = (index as TorchIndex)?.SecondPasses;
        var measured = Measured.Of(() =>
        {
            foreach (var _ in Search(batch, which))
            {
            }
        });
        return new
        {
            Queries = queries.Length / index.Dimension,
            measured.Seconds,
            measured.CpuSeconds,
            SecondPasses = (index as TorchIndex)?.SecondPasses - secondPasses,
        };
    }

    /// <summary>The backends that are not measured here, for what they hold.</summary>
    private static IEnumerable<IItemIndex> Others(float[] rows, int dimension)
    {
        using var torch = new TorchIndex(rows, dimension, "cpu");
        yield return torch;
        yield return HnswIndex.Build(rows, dimension);
    }

    private IEnumerable<SearchResult[]> Search(int batch, string which)
    {
        if (!masks.TryGetValue(which, out var given))
        {
            throw new InvalidOperationException($"input: '{which}': must be one of {string.Join(", ", masks.Keys)}");
        }

        var count = queries.Length / index.Dimension;
        for (var from = 0; from < count; from += batch)
        {
            var size = Math.Min(batch, count - from);
            var some = given.Length == 0 ? given : given[from..(from + size)];
            yield return index.Search(queries.AsSpan(from * index.Dimension, size * index.Dimension), limit, some);
        }
    }

    private ItemMask?[] Masks(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(directory, name));
        return [.. Enumerable.Range(0, bytes.Length / index.Count).Select(m => ItemMask.Of(index.Count, row => bytes[(m * index.Count) + row] != 0))];
    }

    private float[] Floats(string name) =>
        MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(directory, name))).ToArray();
}
