using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>Inner products with a row, or cosines of the angles to it, in units of its scale; see <see cref="BuildRows"/>.</summary>
internal readonly struct RowSpace(BuildRows rows, sbyte[] values, int valuesSum, bool isByAngle) : IWalkSpace
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row) => rows.Int8.Prefetch(row);

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<int> others, Span<float> scores)
    {
        // In place: a sum is read before its score is written over it.
        var sums = MemoryMarshal.Cast<float, int>(scores);
        rows.Int8.Products(others, values, valuesSum, sums);
        ref var scales = ref MemoryMarshal.GetArrayDataReference(rows.Scales);
        for (var i = 0; i < others.Length; i++)
        {
            var (ofGreatest, ofOwn) = Unsafe.Add(ref scales, others[i]);
            scores[i] = (isByAngle ? ofOwn : ofGreatest) * sums[i];
        }
    }
}
