using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// A matrix in fp32, and the one kernel that makes scores. Its order of operations is fixed by the dimension alone (16
/// running sums of fused multiply-adds, then a tree), so a row has the same score, bit for bit, in every batch, under
/// every mask and on every machine.
/// </summary>
internal sealed class FloatRows
{
    private const int Lanes = 16;
    private const int Together = 4;

    private readonly AlignedArray<float> values;

    public FloatRows(int count, int dimension)
        : this(count, dimension, new AlignedArray<float>((long)count * StrideOf(dimension)))
    {
    }

    /// <summary>Over values that are there: [count, <see cref="StrideOf"/>], finite, rows padded with zeros.</summary>
    public FloatRows(int count, int dimension, AlignedArray<float> values)
    {
        (Count, Dimension, Stride) = (count, dimension, StrideOf(dimension));
        this.values = values;
    }

    public int Count { get; }

    public int Dimension { get; }

    /// <summary>The width of a row with its padding of zeros, and what a query must have.</summary>
    public int Stride { get; }

    public long MemoryBytes => values.Bytes;

    /// <summary>The longest chain of roundings that a product goes through on its way into a score.</summary>
    public int Roundings => (Stride / Lanes) + 4;

    /// <summary>All rows with their padding.</summary>
    public AlignedArray<float> Values => values;

    /// <summary>A row, [dimension].</summary>
    public Span<float> this[int row] => values.Slice((nint)row * Stride, Dimension);

    /// <summary>The width of a row of some dimension with its padding.</summary>
    public static int StrideOf(int dimension) => checked(dimension + Lanes - 1) / Lanes * Lanes;

    /// <summary>The scores of some rows.</summary>
    /// <param name="query">[<see cref="Stride"/>], padded with zeros.</param>
    /// <param name="rows">Any rows in any order.</param>
    /// <param name="scores">As many; what is beyond the range of float is infinite, and minus infinity where that has no sign.</param>
    public void Score(ReadOnlySpan<float> query, ReadOnlySpan<int> rows, Span<float> scores)
    {
        const int Ahead = 2 * Together;
        for (var i = 0; i < Math.Min(Ahead, rows.Length); i++)
        {
            Prefetch(rows[i]);
        }

        ref var first = ref values.First;
        ref var q = ref Unsafe.AsRef(in query[0]);
        var stride = (nint)Stride;
        for (var i = 0; i < rows.Length; i += Together)
        {
            var last = rows.Length - 1;
            for (var next = i + Ahead; next < Math.Min(i + Ahead + Together, rows.Length); next++)
            {
                Prefetch(rows[next]);
            }

            var four = Four(
                ref Unsafe.Add(ref first, rows[i] * stride),
                ref Unsafe.Add(ref first, rows[Math.Min(i + 1, last)] * stride),
                ref Unsafe.Add(ref first, rows[Math.Min(i + 2, last)] * stride),
                ref Unsafe.Add(ref first, rows[Math.Min(i + 3, last)] * stride),
                ref q);
            if (i + Together <= rows.Length)
            {
                four.CopyTo(scores[i..]);
            }
            else
            {
                for (var r = 0; i + r < rows.Length; r++)
                {
                    scores[i + r] = four[r];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> Four(ref float row0, ref float row1, ref float row2, ref float row3, ref float query)
    {
        // The 16 sums of a row in two halves, which machines of every width can hold.
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default;
        var width = (nuint)Stride;
        for (nuint i = 0; i < width; i += Lanes)
        {
            var q = Vector256.LoadUnsafe(ref query, i);
            a0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row0, i), q, a0);
            a1 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row1, i), q, a1);
            a2 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row2, i), q, a2);
            a3 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row3, i), q, a3);
            q = Vector256.LoadUnsafe(ref query, i + (Lanes / 2));
            b0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row0, i + (Lanes / 2)), q, b0);
            b1 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row1, i + (Lanes / 2)), q, b1);
            b2 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row2, i + (Lanes / 2)), q, b2);
            b3 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref row3, i + (Lanes / 2)), q, b3);
        }

        return Vector128.Create(Sum(a0, b0), Sum(a1, b1), Sum(a2, b2), Sum(a3, b3));
    }

    private static float Sum(Vector256<float> low, Vector256<float> high)
    {
        var eight = low + high;
        var four = eight.GetLower() + eight.GetUpper();
        var sum = four[0] + four[2] + (four[1] + four[3]);

        // Products beyond the range of float may sum to no number: such rows rank last. Minus zero becomes zero, so
        // that equal scores have equal bits.
        return float.IsNaN(sum) ? float.NegativeInfinity : sum + 0f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prefetch(int row)
    {
        ref var at = ref values[(nint)row * Stride];
        for (var i = 0; i < Stride; i += AlignedArray<float>.Line / sizeof(float))
        {
            CacheLine.Prefetch(ref Unsafe.Add(ref at, i));
        }
    }
}
