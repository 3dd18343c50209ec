using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// Whole-number products of int8 rows with an int8 query. All kernels give equal sums; the fastest that the machine has
/// is taken.
/// </summary>
internal abstract class Int8Kernel
{
    /// <summary>Rows that a kernel works on at once.</summary>
    public const int Rows = 8;

    /// <summary>What the stride of the rows is a multiple of: the bytes of the widest vector.</summary>
    public const int Alignment = 64;

    /// <summary>Queries that <see cref="Arranged"/> takes at most.</summary>
    public const int QueriesOfCall = 6;

    /// <summary>
    /// The widest rows whose sums stay within 32 bits: kernels may sum products of 255 and 127.
    /// </summary>
    public const int MaxStride = int.MaxValue / (255 * 127) / Alignment * Alignment;

    /// <summary>Those that run here, the fastest first.</summary>
    public static IReadOnlyList<Int8Kernel> Supported { get; } =
    [
        .. new Int8Kernel[]
        {
            new VnniKernel(),
            new Int8Kernel<Vector512Rows>("vector512"),
            new Int8Kernel<Vector256Rows>("vector256"),
            new Int8Kernel<Vector128Rows>("vector128"),
            new Int8Kernel<ScalarRows>("scalar"),
        }.Where(k => k.IsSupported),
    ];

    public abstract string Name { get; }

    /// <summary>Queries from which on rows are best arranged; none are enough for most kernels.</summary>
    public virtual int QueriesToArrange => int.MaxValue;

    protected abstract bool IsSupported { get; }

    /// <summary>Products of rows that follow each other.</summary>
    /// <param name="first">The first row's first value, each 128 more than it means; as many rows as <paramref name="sums"/>, rounded up to <see cref="Rows"/>.</param>
    /// <param name="query">One row wide, from -127 to 127; its length is the stride.</param>
    /// <param name="querySum">The sum of its values.</param>
    /// <param name="sums">A sum a row; a multiple of <see cref="Rows"/> of them.</param>
    public abstract void Consecutive(ref byte first, ReadOnlySpan<sbyte> query, int querySum, Span<int> sums);

    /// <summary>Products of rows that follow each other with two queries, which is faster than one by one.</summary>
    /// <param name="first">As of <see cref="Consecutive"/>.</param>
    /// <param name="query">One row wide.</param>
    /// <param name="querySum">The sum of its values.</param>
    /// <param name="other">Another.</param>
    /// <param name="otherSum">The sum of its values.</param>
    /// <param name="sums">A sum a row with the one.</param>
    /// <param name="otherSums">And with the other, as many.</param>
    public virtual void Pair(
        ref byte first, ReadOnlySpan<sbyte> query, int querySum, ReadOnlySpan<sbyte> other, int otherSum, Span<int> sums, Span<int> otherSums)
    {
        Consecutive(ref first, query, querySum, sums);
        Consecutive(ref first, other, otherSum, otherSums);
    }

    /// <summary>
    /// Lays out a block of rows that follow each other as <see cref="Arranged"/> wants them, which pays for at least
    /// <see cref="QueriesToArrange"/>.
    /// </summary>
    /// <param name="first">As of <see cref="Consecutive"/>; <see cref="Int8Rows.Block"/> rows.</param>
    /// <param name="stride">Bytes of a row.</param>
    /// <param name="arranged">As many bytes as the rows.</param>
    public virtual void Arrange(ref byte first, int stride, ref byte arranged) => throw new NotSupportedException(Name);

    /// <summary>Products of a block of rows with some queries at once.</summary>
    /// <param name="arranged">The rows, by <see cref="Arrange"/>.</param>
    /// <param name="queries">A row each.</param>
    /// <param name="querySums">For each the sum of its values.</param>
    /// <param name="which">The queries that are meant, from one to <see cref="QueriesOfCall"/>.</param>
    /// <param name="sums"><see cref="Int8Rows.Block"/> for each of <see cref="QueriesOfCall"/>; what is past <paramref name="which"/> is spoiled.</param>
    public virtual void Arranged(
        ref byte arranged, ReadOnlySpan<sbyte> queries, ReadOnlySpan<int> querySums, ReadOnlySpan<int> which, Span<int> sums) =>
        throw new NotSupportedException(Name);

    /// <summary>Products of any rows.</summary>
    /// <param name="matrix">Row 0.</param>
    /// <param name="rows">A multiple of <see cref="Rows"/> of them.</param>
    /// <param name="query">One row wide.</param>
    /// <param name="querySum">The sum of its values.</param>
    /// <param name="sums">A sum a row.</param>
    public abstract void Gathered(ref byte matrix, ReadOnlySpan<int> rows, ReadOnlySpan<sbyte> query, int querySum, Span<int> sums);
}

/// <summary>The inner loop of a kernel, over eight rows.</summary>
internal interface IInt8Rows
{
    static abstract bool IsSupported { get; }

    /// <summary>Writes eight sums.</summary>
    static abstract void Eight(
        ref byte row0, ref byte row1, ref byte row2, ref byte row3, ref byte row4, ref byte row5, ref byte row6, ref byte row7,
        ref sbyte query, nuint stride, int querySum, ref int sums);
}

/// <inheritdoc/>
internal class Int8Kernel<T>(string name) : Int8Kernel
    where T : IInt8Rows
{
    public override string Name => name;

    protected override bool IsSupported => T.IsSupported;

    // At once as fast as it gets: the first search should not wait for a compiler to notice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Consecutive(ref byte first, ReadOnlySpan<sbyte> query, int querySum, Span<int> sums)
    {
        ref var q = ref MemoryMarshal.GetReference(query);
        nint stride = query.Length;
        for (var i = 0; i < sums.Length; i += Rows)
        {
            ref var row = ref Unsafe.Add(ref first, i * stride);
            T.Eight(
                ref row,
                ref Unsafe.Add(ref row, stride),
                ref Unsafe.Add(ref row, 2 * stride),
                ref Unsafe.Add(ref row, 3 * stride),
                ref Unsafe.Add(ref row, 4 * stride),
                ref Unsafe.Add(ref row, 5 * stride),
                ref Unsafe.Add(ref row, 6 * stride),
                ref Unsafe.Add(ref row, 7 * stride),
                ref q,
                (nuint)stride,
                querySum,
                ref MemoryMarshal.GetReference(sums.Slice(i, Rows)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Gathered(ref byte matrix, ReadOnlySpan<int> rows, ReadOnlySpan<sbyte> query, int querySum, Span<int> sums)
    {
        ref var q = ref MemoryMarshal.GetReference(query);
        nint stride = query.Length;
        for (var i = 0; i < rows.Length; i += Rows)
        {
            var eight = rows.Slice(i, Rows);
            T.Eight(
                ref Unsafe.Add(ref matrix, eight[0] * stride),
                ref Unsafe.Add(ref matrix, eight[1] * stride),
                ref Unsafe.Add(ref matrix, eight[2] * stride),
                ref Unsafe.Add(ref matrix, eight[3] * stride),
                ref Unsafe.Add(ref matrix, eight[4] * stride),
                ref Unsafe.Add(ref matrix, eight[5] * stride),
                ref Unsafe.Add(ref matrix, eight[6] * stride),
                ref Unsafe.Add(ref matrix, eight[7] * stride),
                ref q,
                (nuint)stride,
                querySum,
                ref MemoryMarshal.GetReference(sums.Slice(i, Rows)));
        }
    }
}
