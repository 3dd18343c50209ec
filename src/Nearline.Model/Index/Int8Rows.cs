using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// A matrix in int8, a scale a row, with what bounds the difference to the fp32 scores. Row-major, a row in whole cache
/// lines: rows that a mask leaves are read alone, and no two share a line.
/// </summary>
internal sealed class Int8Rows
{
    /// <summary>Rows that are bounded at once: the bits of a mask's word.</summary>
    public const int Block = 64;

    private const int PrefetchingQueries = 4;

    // Rows are stored 128 up, as the fastest instruction wants them.
    private const int Zero = 128;

    private readonly Int8Kernel kernel;
    private readonly AlignedArray<byte> values;
    private readonly AlignedArray<float> scales;
    private readonly AlignedArray<float> errors;
    private readonly AlignedArray<float> norms;

    public Int8Rows(FloatRows rows, Int8Kernel kernel, int threads)
    {
        this.kernel = kernel;
        Stride = StrideOf(rows.Dimension);
        var padded = Padded(rows.Count);
        var blocks = (int)(padded / Block);
        values = new AlignedArray<byte>(padded * Stride);
        (scales, errors, norms) = (new(padded), new(padded), new(padded));
        var greatest = new (double Norm, double Error)[blocks];
        Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = threads }, block =>
        {
            for (var row = block * Block; row < Math.Min((block * Block) + Block, rows.Count); row++)
            {
                var (norm, error) = Quantize(rows[row], row, rows.Roundings);
                greatest[block] = (Math.Max(greatest[block].Norm, norm), Math.Max(greatest[block].Error, error));
            }
        });
        foreach (var (norm, error) in greatest)
        {
            (GreatestNorm, GreatestError) = (Math.Max(GreatestNorm, norm), Math.Max(GreatestError, error));
        }
    }

    /// <summary>Over rows that were made before.</summary>
    public Int8Rows(int dimension, Int8Kernel kernel, Int8Parts parts)
    {
        this.kernel = kernel;
        Stride = StrideOf(dimension);
        (values, scales, errors, norms, GreatestNorm, GreatestError) = parts;
    }

    /// <summary>What a step of each row is worth.</summary>
    public AlignedArray<float> Scales => scales;

    /// <summary>At least the norm of each row as it is stored.</summary>
    public AlignedArray<float> Norms => norms;

    /// <summary>What the rows consist of.</summary>
    public Int8Parts Parts => new(values, scales, errors, norms, GreatestNorm, GreatestError);

    /// <summary>Bytes of a row.</summary>
    public int Stride { get; }

    /// <summary>At least the norm of every row, as given and as stored.</summary>
    public double GreatestNorm { get; }

    /// <summary>At least the error of every row.</summary>
    public double GreatestError { get; }

    public long MemoryBytes => values.Bytes + scales.Bytes + errors.Bytes + norms.Bytes;

    /// <summary>Rows that are held for some count: whole blocks.</summary>
    public static long Padded(int count) => ((long)count + Block - 1) / Block * Block;

    /// <summary>Bytes of a row of some dimension.</summary>
    public static int StrideOf(int dimension) =>
        checked(dimension + Int8Kernel.Alignment - 1) / Int8Kernel.Alignment * Int8Kernel.Alignment;

    /// <summary>Whole-number products of any rows with a query.</summary>
    /// <param name="rows">A multiple of <see cref="Int8Kernel.Rows"/> of them.</param>
    /// <param name="query">Its int8 values.</param>
    /// <param name="querySum">Their sum.</param>
    /// <param name="sums">As many as rows.</param>
    public void Products(ReadOnlySpan<int> rows, ReadOnlySpan<sbyte> query, int querySum, Span<int> sums) =>
        kernel.Gathered(ref values.First, rows, query, querySum, sums);

    /// <summary>The values of a row as a query has them.</summary>
    /// <returns>Their sum.</returns>
    public int CopyRow(int row, Span<sbyte> to)
    {
        var sum = 0;
        ref var from = ref values[(nint)row * Stride];
        for (var i = 0; i < Stride; i++)
        {
            to[i] = (sbyte)(Unsafe.Add(ref from, i) - Zero);
            sum += to[i];
        }

        return sum;
    }

    /// <summary>Offers the rows of a block.</summary>
    /// <param name="firstRow">A multiple of <see cref="Block"/>.</param>
    /// <param name="queries">All.</param>
    /// <param name="which">Those that the rows are offered to.</param>
    /// <param name="allowed">For each of them the bits of the rows that count.</param>
    /// <param name="candidates">For each of them what takes the rows that may be among the best.</param>
    /// <param name="next">The first row of the block to fetch meanwhile; -1: none.</param>
    /// <param name="room">Where the block is arranged.</param>
    public void OfferBlock(
        int firstRow,
        QueryBatch queries,
        ReadOnlySpan<int> which,
        ReadOnlySpan<ulong> allowed,
        ReadOnlySpan<Candidates> candidates,
        int next,
        Int8Room room)
    {
        var tile = new Int8Tile(
            ref values[(nint)firstRow * Stride], ref scales[firstRow], ref errors[firstRow], ref norms[firstRow], firstRow, []);
        Offer(tile, queries, which, allowed, candidates, next, room.Arranged);
    }

    /// <summary>Offers up to a block of rows from here and there.</summary>
    /// <param name="rows">Which.</param>
    /// <param name="queries">All.</param>
    /// <param name="which">Those that the rows are offered to.</param>
    /// <param name="allowed">For each of them the bits of the rows that count.</param>
    /// <param name="candidates">For each of them what takes the rows that may be among the best.</param>
    /// <param name="room">Where the rows are put together.</param>
    public void OfferPacked(
        ReadOnlySpan<int> rows,
        QueryBatch queries,
        ReadOnlySpan<int> which,
        ReadOnlySpan<ulong> allowed,
        ReadOnlySpan<Candidates> candidates,
        Int8Room room)
    {
        // What a block that is not full holds behind its rows is of another block, and no query allows it.
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            values.Slice((nint)row * Stride, Stride).CopyTo(room.Values.Slice((nint)i * Stride, Stride));
            (room.Scales[i], room.Errors[i], room.Norms[i]) = (scales[row], errors[row], norms[row]);
        }

        var tile = new Int8Tile(ref room.Values.First, ref room.Scales.First, ref room.Errors.First, ref room.Norms.First, 0, rows);
        Offer(tile, queries, which, allowed, candidates, -1, room.Arranged);
    }

    /// <summary>Offers the rows that wait.</summary>
    /// <param name="query">Its int8 values.</param>
    /// <param name="bounds">And the rest of it.</param>
    /// <param name="candidates">Take the rows that may be among the best.</param>
    [SkipLocalsInit]
    public void OfferWaiting(ReadOnlySpan<sbyte> query, in QuantizedQuery bounds, Candidates candidates)
    {
        candidates.MakeRoom();
        Span<int> padded = stackalloc int[Block];
        Span<int> sums = stackalloc int[Block];
        Span<float> scale = stackalloc float[Block];
        Span<float> error = stackalloc float[Block];
        Span<float> norm = stackalloc float[Block];
        var rows = candidates.Waiting;
        rows.CopyTo(padded);
        padded[rows.Length..].Clear();
        ref var firstScale = ref scales.First;
        ref var firstError = ref errors.First;
        ref var firstNorm = ref norms.First;
        for (var i = 0; i < rows.Length; i++)
        {
            scale[i] = Unsafe.Add(ref firstScale, rows[i]);
            error[i] = Unsafe.Add(ref firstError, rows[i]);
            norm[i] = Unsafe.Add(ref firstNorm, rows[i]);
        }

        var whole = (rows.Length + Int8Kernel.Rows - 1) / Int8Kernel.Rows * Int8Kernel.Rows;
        kernel.Gathered(ref values.First, padded[..whole], query, bounds.Sum, sums[..whole]);
        var allowed = rows.Length == Block ? ulong.MaxValue : (1UL << rows.Length) - 1;
        var passed = AtLeast(sums, ref scale[0], ref error[0], ref norm[0], bounds, candidates.Threshold) & allowed;
        candidates.Add(passed, 0, rows, sums, ref scale[0], ref error[0], ref norm[0], bounds);
        candidates.Served();
    }

    /// <summary>Fetches a row that <see cref="OfferWaiting"/> will read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row)
    {
        ref var at = ref values[(nint)row * Stride];
        for (var i = 0; i < Stride; i += AlignedArray<byte>.Line)
        {
            CacheLine.Prefetch(ref Unsafe.Add(ref at, i));
        }
    }

    /// <summary>Fetches a row that <see cref="OfferPacked"/> will read, for several queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchNear(int row)
    {
        ref var at = ref values[(nint)row * Stride];
        for (var i = 0; i < Stride; i += AlignedArray<byte>.Line)
        {
            CacheLine.PrefetchNear(ref Unsafe.Add(ref at, i));
        }
    }

    // Of sixes and fours that leave few places empty.
    private static int Together(int left) => left is 5 or 6 or >= 9 ? Math.Min(6, left) : Math.Min(4, left);

    private void PrefetchBlock(int firstRow, int part, int to, int parts)
    {
        var lines = Block * Stride / AlignedArray<byte>.Line;
        ref var at = ref values[(nint)firstRow * Stride];
        for (var line = lines * part / parts; line < lines * to / parts; line++)
        {
            CacheLine.PrefetchNear(ref Unsafe.Add(ref at, line * AlignedArray<byte>.Line));
        }
    }

    [SkipLocalsInit]
    private void Offer(
        in Int8Tile tile,
        QueryBatch queries,
        ReadOnlySpan<int> which,
        ReadOnlySpan<ulong> allowed,
        ReadOnlySpan<Candidates> candidates,
        int next,
        AlignedArray<byte> arranged)
    {
        ref var block = ref tile.Values;
        Span<int> sums = stackalloc int[Int8Kernel.QueriesOfCall * Block];
        var isArranged = which.Length >= kernel.QueriesToArrange;
        if (isArranged)
        {
            kernel.Arrange(ref block, Stride, ref arranged.First);
        }

        for (int done = 0, count; done < which.Length; done += count)
        {
            count = isArranged ? Together(which.Length - done) : Math.Min(2, which.Length - done);

            // A part of what comes next, while this is worked on. A few queries would not do enough work to hide it: the
            // machine's own prefetching is better.
            if (next >= 0 && which.Length >= PrefetchingQueries)
            {
                PrefetchBlock(next, done, done + count, which.Length);
            }

            var some = which.Slice(done, count);
            if (isArranged)
            {
                kernel.Arranged(ref arranged.First, queries.Int8, queries.Sums, some, sums);
            }
            else if (count == 2)
            {
                kernel.Pair(
                    ref block,
                    queries.Int8Of(some[0]),
                    queries.Sums[some[0]],
                    queries.Int8Of(some[1]),
                    queries.Sums[some[1]],
                    sums[..Block],
                    sums.Slice(Block, Block));
            }
            else
            {
                kernel.Consecutive(ref block, queries.Int8Of(some[0]), queries.Sums[some[0]], sums[..Block]);
            }

            for (var i = 0; i < count; i++)
            {
                Offer(tile, allowed[done + i], sums.Slice(i * Block, Block), queries[some[i]], candidates[done + i]);
            }
        }
    }

    private static void Offer(
        in Int8Tile tile, ulong allowed, ReadOnlySpan<int> sums, in QuantizedQuery bounds, Candidates candidates)
    {
        candidates.MakeRoom();
        var passed = AtLeast(sums, ref tile.Scale, ref tile.Error, ref tile.Norm, bounds, candidates.Threshold) & allowed;
        if (passed != 0)
        {
            candidates.Add(passed, tile.FirstRow, tile.Rows, sums, ref tile.Scale, ref tile.Error, ref tile.Norm, bounds);
        }
    }

    /// <summary>Which rows' upper bounds reach a threshold.</summary>
    private static ulong AtLeast(
        ReadOnlySpan<int> sums, ref float scale, ref float error, ref float norm, in QuantizedQuery bounds, float threshold)
    {
        ref var sum = ref MemoryMarshal.GetReference(sums);
        var passed = 0UL;
        if (Vector512.IsHardwareAccelerated)
        {
            for (nuint i = 0; i < Block; i += (nuint)Vector512<float>.Count)
            {
                var width = Vector512.FusedMultiplyAdd(
                    Vector512.Create(bounds.ErrorFactor),
                    Vector512.LoadUnsafe(ref error, i),
                    Vector512.FusedMultiplyAdd(
                        Vector512.Create(bounds.NormFactor), Vector512.LoadUnsafe(ref norm, i), Vector512.Create(bounds.Constant)));
                var whole = Vector512.ConvertToSingle(Vector512.LoadUnsafe(ref sum, i));
                var upper = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref scale, i), whole, width);
                passed |= Vector512.GreaterThanOrEqual(upper, Vector512.Create(threshold)).ExtractMostSignificantBits() << (int)i;
            }

            return passed;
        }

        for (nuint i = 0; i < Block; i += (nuint)Vector256<float>.Count)
        {
            var width = Vector256.FusedMultiplyAdd(
                Vector256.Create(bounds.ErrorFactor),
                Vector256.LoadUnsafe(ref error, i),
                Vector256.FusedMultiplyAdd(
                    Vector256.Create(bounds.NormFactor), Vector256.LoadUnsafe(ref norm, i), Vector256.Create(bounds.Constant)));
            var whole = Vector256.ConvertToSingle(Vector256.LoadUnsafe(ref sum, i));
            var upper = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref scale, i), whole, width);
            passed |= (ulong)Vector256.GreaterThanOrEqual(upper, Vector256.Create(threshold)).ExtractMostSignificantBits() << (int)i;
        }

        return passed;
    }

    private (double Norm, double Error) Quantize(ReadOnlySpan<float> row, int index, int roundings)
    {
        double peak = 0, square = 0;
        foreach (var value in row)
        {
            peak = Math.Max(peak, Math.Abs((double)value));
            square += (double)value * value;
        }

        // A scale that lost bits would be of no use: such a row is nothing but error.
        var scale = (float)(peak / sbyte.MaxValue);
        scale = float.IsNormal(scale) ? scale : 0;
        var to = values.Slice((nint)index * Stride, Stride);
        to.Fill(Zero);
        double lost = 0, wholeSquare = 0;
        for (var i = 0; i < row.Length; i++)
        {
            var whole = scale == 0 ? 0 : Rounding.ToInt8(row[i], scale);
            var rest = row[i] - ((double)whole * scale);
            to[i] = (byte)(whole + Zero);
            lost += rest * rest;
            wholeSquare += whole * whole;
        }

        var norm = Rounding.Grown(Math.Sqrt(square));
        var unit = roundings / (double)(1 << 24);
        var error = Rounding.Grown(Math.Sqrt(lost)) + (unit / (1 - unit) * norm);
        scales[index] = scale;
        errors[index] = Rounding.Up(Rounding.Grown(error));
        norms[index] = Rounding.Up(Rounding.Grown(Math.Sqrt(wholeSquare) * scale));
        return (norm + error, errors[index]);
    }
}
