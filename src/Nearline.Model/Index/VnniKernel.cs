using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>AVX-VNNI: so fast that loading values is what takes the time, which two queries share.</summary>
internal sealed class VnniKernel() : Int8Kernel<VnniRows>("avx-vnni")
{
    private const int RowsOfPair = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
}
