using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nearline.Model.Index;

/// <summary>One instruction multiplies 32 values and adds them up in fours; it takes unsigned rows, whose 128 too many the query's sum corrects.</summary>
internal readonly struct VnniRows : IInt8Rows
{
    public static bool IsSupported => AvxVnni.IsSupported && Avx2.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums)
    {
        Vector256<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<int> a4 = default, a5 = default, a6 = default, a7 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector256<byte>.Count)
        {
            var q = Vector256.LoadUnsafe(ref query, i);
            a0 = AvxVnni.MultiplyWideningAndAdd(a0, Vector256.LoadUnsafe(ref row0, i), q);
            a1 = AvxVnni.MultiplyWideningAndAdd(a1, Vector256.LoadUnsafe(ref row1, i), q);
            a2 = AvxVnni.MultiplyWideningAndAdd(a2, Vector256.LoadUnsafe(ref row2, i), q);
            a3 = AvxVnni.MultiplyWideningAndAdd(a3, Vector256.LoadUnsafe(ref row3, i), q);
            a4 = AvxVnni.MultiplyWideningAndAdd(a4, Vector256.LoadUnsafe(ref row4, i), q);
            a5 = AvxVnni.MultiplyWideningAndAdd(a5, Vector256.LoadUnsafe(ref row5, i), q);
            a6 = AvxVnni.MultiplyWideningAndAdd(a6, Vector256.LoadUnsafe(ref row6, i), q);
            a7 = AvxVnni.MultiplyWideningAndAdd(a7, Vector256.LoadUnsafe(ref row7, i), q);
        }

        // Eight vectors of partial sums to one of sums: in the 128-bit halves first, then across them.
        var low = Fours(Pairs(a0, a1), Pairs(a2, a3));
        var high = Fours(Pairs(a4, a5), Pairs(a6, a7));
        (Across(low, high) - Vector256.Create(128 * querySum)).StoreUnsafe(ref sums);
    }

    /// <summary>Of four rows with two queries: each value that is loaded serves twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourByTwo(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3,
        ref sbyte query, ref sbyte other, nuint stride, Vector256<int> excess, ref int sums, ref int otherSums)
    {
        Vector256<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<int> b0 = default, b1 = default, b2 = default, b3 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector256<byte>.Count)
        {
            var q = Vector256.LoadUnsafe(ref query, i);
            var o = Vector256.LoadUnsafe(ref other, i);
            var row = Vector256.LoadUnsafe(ref row0, i);
            a0 = AvxVnni.MultiplyWideningAndAdd(a0, row, q);
            b0 = AvxVnni.MultiplyWideningAndAdd(b0, row, o);
            row = Vector256.LoadUnsafe(ref row1, i);
            a1 = AvxVnni.MultiplyWideningAndAdd(a1, row, q);
            b1 = AvxVnni.MultiplyWideningAndAdd(b1, row, o);
            row = Vector256.LoadUnsafe(ref row2, i);
            a2 = AvxVnni.MultiplyWideningAndAdd(a2, row, q);
            b2 = AvxVnni.MultiplyWideningAndAdd(b2, row, o);
            row = Vector256.LoadUnsafe(ref row3, i);
            a3 = AvxVnni.MultiplyWideningAndAdd(a3, row, q);
            b3 = AvxVnni.MultiplyWideningAndAdd(b3, row, o);
        }

        var sum = Across(Fours(Pairs(a0, a1), Pairs(a2, a3)), Fours(Pairs(b0, b1), Pairs(b2, b3))) - excess;
        sum.GetLower().StoreUnsafe(ref sums);
        sum.GetUpper().StoreUnsafe(ref otherSums);
    }

    private static Vector256<int> Across(Vector256<int> low, Vector256<int> high) =>
        Avx2.Permute2x128(low, high, 0x20) + Avx2.Permute2x128(low, high, 0x31);

    private static Vector256<int> Pairs(Vector256<int> a, Vector256<int> b) => Avx2.UnpackLow(a, b) + Avx2.UnpackHigh(a, b);

    private static Vector256<int> Fours(Vector256<int> a, Vector256<int> b) =>
        Avx2.UnpackLow(a.AsInt64(), b.AsInt64()).AsInt32() + Avx2.UnpackHigh(a.AsInt64(), b.AsInt64()).AsInt32();
}

/// <summary>Widens to 16 bits and multiplies in pairs, 64 values at once.</summary>
internal readonly struct Vector512Rows : IInt8Rows
{
    public static bool IsSupported => Vector512.IsHardwareAccelerated && Avx512BW.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums)
    {
        Vector512<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<int> a4 = default, a5 = default, a6 = default, a7 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector512<byte>.Count)
        {
            var (low, high) = Vector512.Widen(Vector512.LoadUnsafe(ref query, i));
            a0 += Products(ref row0, i, low, high);
            a1 += Products(ref row1, i, low, high);
            a2 += Products(ref row2, i, low, high);
            a3 += Products(ref row3, i, low, high);
            a4 += Products(ref row4, i, low, high);
            a5 += Products(ref row5, i, low, high);
            a6 += Products(ref row6, i, low, high);
            a7 += Products(ref row7, i, low, high);
        }

        Vector256.Create(
            Vector512.Sum(a0), Vector512.Sum(a1), Vector512.Sum(a2), Vector512.Sum(a3),
            Vector512.Sum(a4), Vector512.Sum(a5), Vector512.Sum(a6), Vector512.Sum(a7)).StoreUnsafe(ref sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Products(ref byte row, nuint i, Vector512<short> low, Vector512<short> high)
    {
        var (rowLow, rowHigh) = Vector512.Widen((Vector512.LoadUnsafe(ref row, i) ^ Vector512.Create((byte)128)).AsSByte());
        return Avx512BW.MultiplyAddAdjacent(rowLow, low) + Avx512BW.MultiplyAddAdjacent(rowHigh, high);
    }
}

/// <summary>The same, 32 values at once.</summary>
internal readonly struct Vector256Rows : IInt8Rows
{
    public static bool IsSupported => Vector256.IsHardwareAccelerated && Avx2.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums)
    {
        Vector256<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<int> a4 = default, a5 = default, a6 = default, a7 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector256<byte>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref query, i));
            a0 += Products(ref row0, i, low, high);
            a1 += Products(ref row1, i, low, high);
            a2 += Products(ref row2, i, low, high);
            a3 += Products(ref row3, i, low, high);
            a4 += Products(ref row4, i, low, high);
            a5 += Products(ref row5, i, low, high);
            a6 += Products(ref row6, i, low, high);
            a7 += Products(ref row7, i, low, high);
        }

        Vector256.Create(
            Vector256.Sum(a0), Vector256.Sum(a1), Vector256.Sum(a2), Vector256.Sum(a3),
            Vector256.Sum(a4), Vector256.Sum(a5), Vector256.Sum(a6), Vector256.Sum(a7)).StoreUnsafe(ref sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(ref byte row, nuint i, Vector256<short> low, Vector256<short> high)
    {
        var (rowLow, rowHigh) = Vector256.Widen((Vector256.LoadUnsafe(ref row, i) ^ Vector256.Create((byte)128)).AsSByte());
        return Avx2.MultiplyAddAdjacent(rowLow, low) + Avx2.MultiplyAddAdjacent(rowHigh, high);
    }
}

/// <summary>Only what every machine with vectors has, 16 values at once.</summary>
internal readonly struct Vector128Rows : IInt8Rows
{
    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums)
    {
        Vector128<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector128<int> a4 = default, a5 = default, a6 = default, a7 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector128<byte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref query, i));
            a0 += Products(ref row0, i, low, high);
            a1 += Products(ref row1, i, low, high);
            a2 += Products(ref row2, i, low, high);
            a3 += Products(ref row3, i, low, high);
            a4 += Products(ref row4, i, low, high);
            a5 += Products(ref row5, i, low, high);
            a6 += Products(ref row6, i, low, high);
            a7 += Products(ref row7, i, low, high);
        }

        Vector128.Create(Vector128.Sum(a0), Vector128.Sum(a1), Vector128.Sum(a2), Vector128.Sum(a3)).StoreUnsafe(ref sums);
        Vector128.Create(Vector128.Sum(a4), Vector128.Sum(a5), Vector128.Sum(a6), Vector128.Sum(a7)).StoreUnsafe(ref sums, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Products(ref byte row, nuint i, Vector128<short> low, Vector128<short> high)
    {
        // Two products of values up to 127 still fit 16 bits.
        var (rowLow, rowHigh) = Vector128.Widen((Vector128.LoadUnsafe(ref row, i) ^ Vector128.Create((byte)128)).AsSByte());
        var (a, b) = Vector128.Widen((rowLow * low) + (rowHigh * high));
        return a + b;
    }
}

/// <summary>Value by value.</summary>
internal readonly struct ScalarRows : IInt8Rows
{
    public static bool IsSupported => true;

    public static void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums)
    {
        sums = Sum(ref row0, ref query, stride);
        Unsafe.Add(ref sums, 1) = Sum(ref row1, ref query, stride);
        Unsafe.Add(ref sums, 2) = Sum(ref row2, ref query, stride);
        Unsafe.Add(ref sums, 3) = Sum(ref row3, ref query, stride);
        Unsafe.Add(ref sums, 4) = Sum(ref row4, ref query, stride);
        Unsafe.Add(ref sums, 5) = Sum(ref row5, ref query, stride);
        Unsafe.Add(ref sums, 6) = Sum(ref row6, ref query, stride);
        Unsafe.Add(ref sums, 7) = Sum(ref row7, ref query, stride);
    }

    private static int Sum(ref byte row, ref sbyte query, nuint stride)
    {
        var sum = 0;
        for (nuint i = 0; i < stride; i++)
        {
            sum += (Unsafe.Add(ref row, i) - 128) * Unsafe.Add(ref query, i);
        }

        return sum;
    }
}
