using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nearline.Model.Index;

/// <summary>
/// Products of a block of 64 rows with several queries by AVX-VNNI. The block is arranged in groups of four columns: a
/// group holds the four values of row 0, those of row 1, and so on. So each lane of 32 bits is a row, and the instruction
/// alone adds up.
/// </summary>
/// <remarks>Its loops must not be inlined: among what surrounds them there are not enough registers for their sums.</remarks>
internal static class ArrangedBlock
{
    private const int Columns = 4;
    private const int Group = Int8Rows.Block * Columns;
    private const int Vector = 32;

    // Of which both halves and six queries fit the 16 registers: twelve sums, two of rows, one of a query.
    private const int RowsTogether = 16;

    /// <summary>Arranges rows that follow each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Arrange(ref byte first, int stride, ref byte arranged)
    {
        for (nint row = 0; row < Int8Rows.Block; row += Vector / Columns)
        {
            ref var from = ref Unsafe.Add(ref first, row * stride);
            ref var to = ref Unsafe.Add(ref arranged, row * Columns);
            for (nint i = 0; i < stride; i += Vector)
            {
                Transpose(ref Unsafe.Add(ref from, i), stride, ref Unsafe.Add(ref to, i / Columns * Group));
            }
        }
    }

    /// <inheritdoc cref="Int8Kernel.Arranged"/>
    public static void Multiply(
        ref byte arranged, ReadOnlySpan<sbyte> queries, ReadOnlySpan<int> querySums, ReadOnlySpan<int> which, Span<int> sums)
    {
        var stride = queries.Length / querySums.Length;
        var last = which.Length - 1;
        ref var to = ref MemoryMarshal.GetReference(sums[..(Int8Kernel.QueriesOfCall * Int8Rows.Block)]);

        // The last query takes the places that are left.
        ref var values = ref Unsafe.As<sbyte, int>(ref MemoryMarshal.GetReference(queries));
        var groups = stride / Columns;
        var (a, b, c, d) = (which[0], which[Math.Min(1, last)], which[Math.Min(2, last)], which[Math.Min(3, last)]);
        ref var qa = ref Unsafe.Add(ref values, (nint)a * groups);
        ref var qb = ref Unsafe.Add(ref values, (nint)b * groups);
        ref var qc = ref Unsafe.Add(ref values, (nint)c * groups);
        ref var qd = ref Unsafe.Add(ref values, (nint)d * groups);
        if (last < 4)
        {
            var excess = Vector128.Create(querySums[a], querySums[b], querySums[c], querySums[d]) * -128;
            Four(ref arranged, groups, ref qa, ref qb, ref qc, ref qd, excess, ref to);
            return;
        }

        var (e, f) = (which[4], which[last]);
        ref var qe = ref Unsafe.Add(ref values, (nint)e * groups);
        ref var qf = ref Unsafe.Add(ref values, (nint)f * groups);
        var more = Vector256.Create(querySums[a], querySums[b], querySums[c], querySums[d], querySums[e], querySums[f], 0, 0) * -128;
        Six(ref arranged, groups, ref qa, ref qb, ref qc, ref qd, ref qe, ref qf, more, ref to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Six(
        ref byte arranged, nint groups, ref int qa, ref int qb, ref int qc, ref int qd, ref int qe, ref int qf, Vector256<int> start, ref int sums)
    {
        for (nint row = 0; row < Int8Rows.Block; row += RowsTogether)
        {
            ref var rows = ref Unsafe.Add(ref arranged, row * Columns);
            Vector256<int> a0 = Vector256.Create(start[0]), a1 = a0;
            Vector256<int> b0 = Vector256.Create(start[1]), b1 = b0;
            Vector256<int> c0 = Vector256.Create(start[2]), c1 = c0;
            Vector256<int> d0 = Vector256.Create(start[3]), d1 = d0;
            Vector256<int> e0 = Vector256.Create(start[4]), e1 = e0;
            Vector256<int> f0 = Vector256.Create(start[5]), f1 = f0;
            for (nint i = 0; i < groups; i++)
            {
                var r0 = Vector256.LoadUnsafe(ref rows);
                var r1 = Vector256.LoadUnsafe(ref rows, Vector);
                var q = Vector256.Create(Unsafe.Add(ref qa, i)).AsSByte();
                a0 = AvxVnni.MultiplyWideningAndAdd(a0, r0, q);
                a1 = AvxVnni.MultiplyWideningAndAdd(a1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qb, i)).AsSByte();
                b0 = AvxVnni.MultiplyWideningAndAdd(b0, r0, q);
                b1 = AvxVnni.MultiplyWideningAndAdd(b1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qc, i)).AsSByte();
                c0 = AvxVnni.MultiplyWideningAndAdd(c0, r0, q);
                c1 = AvxVnni.MultiplyWideningAndAdd(c1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qd, i)).AsSByte();
                d0 = AvxVnni.MultiplyWideningAndAdd(d0, r0, q);
                d1 = AvxVnni.MultiplyWideningAndAdd(d1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qe, i)).AsSByte();
                e0 = AvxVnni.MultiplyWideningAndAdd(e0, r0, q);
                e1 = AvxVnni.MultiplyWideningAndAdd(e1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qf, i)).AsSByte();
                f0 = AvxVnni.MultiplyWideningAndAdd(f0, r0, q);
                f1 = AvxVnni.MultiplyWideningAndAdd(f1, r1, q);
                rows = ref Unsafe.Add(ref rows, Group);
            }

            ref var to = ref Unsafe.Add(ref sums, row);
            Store(a0, a1, ref to, 0);
            Store(b0, b1, ref to, 1);
            Store(c0, c1, ref to, 2);
            Store(d0, d1, ref to, 3);
            Store(e0, e1, ref to, 4);
            Store(f0, f1, ref to, 5);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Four(
        ref byte arranged, nint groups, ref int qa, ref int qb, ref int qc, ref int qd, Vector128<int> start, ref int sums)
    {
        for (nint row = 0; row < Int8Rows.Block; row += RowsTogether)
        {
            ref var rows = ref Unsafe.Add(ref arranged, row * Columns);
            Vector256<int> a0 = Vector256.Create(start[0]), a1 = a0;
            Vector256<int> b0 = Vector256.Create(start[1]), b1 = b0;
            Vector256<int> c0 = Vector256.Create(start[2]), c1 = c0;
            Vector256<int> d0 = Vector256.Create(start[3]), d1 = d0;
            for (nint i = 0; i < groups; i++)
            {
                var r0 = Vector256.LoadUnsafe(ref rows);
                var r1 = Vector256.LoadUnsafe(ref rows, Vector);
                var q = Vector256.Create(Unsafe.Add(ref qa, i)).AsSByte();
                a0 = AvxVnni.MultiplyWideningAndAdd(a0, r0, q);
                a1 = AvxVnni.MultiplyWideningAndAdd(a1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qb, i)).AsSByte();
                b0 = AvxVnni.MultiplyWideningAndAdd(b0, r0, q);
                b1 = AvxVnni.MultiplyWideningAndAdd(b1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qc, i)).AsSByte();
                c0 = AvxVnni.MultiplyWideningAndAdd(c0, r0, q);
                c1 = AvxVnni.MultiplyWideningAndAdd(c1, r1, q);
                q = Vector256.Create(Unsafe.Add(ref qd, i)).AsSByte();
                d0 = AvxVnni.MultiplyWideningAndAdd(d0, r0, q);
                d1 = AvxVnni.MultiplyWideningAndAdd(d1, r1, q);
                rows = ref Unsafe.Add(ref rows, Group);
            }

            ref var to = ref Unsafe.Add(ref sums, row);
            Store(a0, a1, ref to, 0);
            Store(b0, b1, ref to, 1);
            Store(c0, c1, ref to, 2);
            Store(d0, d1, ref to, 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> low, Vector256<int> high, ref int sums, nuint query)
    {
        low.StoreUnsafe(ref sums, query * Int8Rows.Block);
        high.StoreUnsafe(ref sums, (query * Int8Rows.Block) + (RowsTogether / 2));
    }

    /// <summary>Eight rows of 32 values to eight groups, in wholes of four values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref byte from, nint stride, ref byte to)
    {
        var r0 = Vector256.LoadUnsafe(ref from).AsInt32();
        var r1 = Vector256.LoadUnsafe(ref from, (nuint)stride).AsInt32();
        var r2 = Vector256.LoadUnsafe(ref from, (nuint)(2 * stride)).AsInt32();
        var r3 = Vector256.LoadUnsafe(ref from, (nuint)(3 * stride)).AsInt32();
        var r4 = Vector256.LoadUnsafe(ref from, (nuint)(4 * stride)).AsInt32();
        var r5 = Vector256.LoadUnsafe(ref from, (nuint)(5 * stride)).AsInt32();
        var r6 = Vector256.LoadUnsafe(ref from, (nuint)(6 * stride)).AsInt32();
        var r7 = Vector256.LoadUnsafe(ref from, (nuint)(7 * stride)).AsInt32();
        var (a0, a1) = (Avx2.UnpackLow(r0, r1).AsInt64(), Avx2.UnpackHigh(r0, r1).AsInt64());
        var (a2, a3) = (Avx2.UnpackLow(r2, r3).AsInt64(), Avx2.UnpackHigh(r2, r3).AsInt64());
        var (a4, a5) = (Avx2.UnpackLow(r4, r5).AsInt64(), Avx2.UnpackHigh(r4, r5).AsInt64());
        var (a6, a7) = (Avx2.UnpackLow(r6, r7).AsInt64(), Avx2.UnpackHigh(r6, r7).AsInt64());
        Halves(Avx2.UnpackLow(a0, a2), Avx2.UnpackLow(a4, a6), ref to, 0);
        Halves(Avx2.UnpackHigh(a0, a2), Avx2.UnpackHigh(a4, a6), ref to, 1);
        Halves(Avx2.UnpackLow(a1, a3), Avx2.UnpackLow(a5, a7), ref to, 2);
        Halves(Avx2.UnpackHigh(a1, a3), Avx2.UnpackHigh(a5, a7), ref to, 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(Vector256<long> first, Vector256<long> other, ref byte to, nuint group)
    {
        Avx2.Permute2x128(first, other, 0x20).AsByte().StoreUnsafe(ref to, group * Group);
        Avx2.Permute2x128(first, other, 0x31).AsByte().StoreUnsafe(ref to, (group + 4) * Group);
    }
}
