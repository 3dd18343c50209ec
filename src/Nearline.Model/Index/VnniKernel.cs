using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// AVX-VNNI: so fast that loading values and adding up lanes take the time. Two queries share what is loaded. More are
/// worth that a block is arranged: four columns of 64 rows, then the next four, so that a lane is a row, and nothing is
/// added up but by the instruction itself, two of which can start in a cycle.
/// </summary>
internal sealed class VnniKernel() : Int8Kernel<VnniRows>("avx-vnni")
{
    private const int RowsOfPair = 4;

    /// <inheritdoc/>
    public override int QueriesToArrange => 7;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Pair(
        ref byte first, ReadOnlySpan<sbyte> query, int querySum, ReadOnlySpan<sbyte> other, int otherSum, Span<int> sums, Span<int> otherSums)
    {
        ref var q = ref MemoryMarshal.GetReference(query);
        ref var o = ref MemoryMarshal.GetReference(other);
        var excess = Vector256.Create(Vector128.Create(128 * querySum), Vector128.Create(128 * otherSum));
        nint stride = query.Length;
        for (var i = 0; i < sums.Length; i += RowsOfPair)
        {
            ref var row = ref Unsafe.Add(ref first, i * stride);
            VnniRows.FourByTwo(
                ref row,
                ref Unsafe.Add(ref row, stride),
                ref Unsafe.Add(ref row, 2 * stride),
                ref Unsafe.Add(ref row, 3 * stride),
                ref q,
                ref o,
                (nuint)stride,
                excess,
                ref MemoryMarshal.GetReference(sums.Slice(i, RowsOfPair)),
                ref MemoryMarshal.GetReference(otherSums.Slice(i, RowsOfPair)));
        }
    }

    /// <inheritdoc/>
    public override void Arrange(ref byte first, int stride, ref byte arranged) => ArrangedBlock.Arrange(ref first, stride, ref arranged);

    /// <inheritdoc/>
    public override void Arranged(
        ref byte arranged, ReadOnlySpan<sbyte> queries, ReadOnlySpan<int> querySums, ReadOnlySpan<int> which, Span<int> sums) =>
        ArrangedBlock.Multiply(ref arranged, queries, querySums, which, sums);
}
