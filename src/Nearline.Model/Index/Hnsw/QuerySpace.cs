using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>Inner products with a query, in units of its scale, as the int8 values have them.</summary>
internal readonly struct QuerySpace(Int8Rows int8, sbyte[] query, int querySum) : IWalkSpace
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row) => int8.Prefetch(row);

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<int> rows, Span<float> scores)
    {
        // In place: a sum is read before its score is written over it.
        var sums = MemoryMarshal.Cast<float, int>(scores);
        int8.Products(rows, query, querySum, sums);
        ref var scales = ref int8.Scales.First;
        for (var i = 0; i < rows.Length; i++)
        {
            scores[i] = Unsafe.Add(ref scales, rows[i]) * sums[i];
        }
    }
}
