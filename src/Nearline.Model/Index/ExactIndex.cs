using System.Numerics;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// Exact maximum inner product search on the CPU: every row's product with every query, in fp32. A row's score does
/// not depend on what else is in the batch, and of equal scores the lower row wins, so that results are the same in
/// whichever batch a query comes.
/// </summary>
public sealed class ExactIndex : IItemIndex
{
    // Rows are padded with zeros to a multiple of the widest vector, and their number to a multiple of the kernel's.
    private const int Lanes = 16;
    private const int KernelRows = 4;
    private const int KernelQueries = 2;

    // The part of the matrix that all queries pass over before the next is fetched: it fits the second-level cache.
    private const int TileFloats = 1 << 16;

    private readonly float[] matrix;
    private readonly int stride;
    private readonly int tileRows;

    /// <summary>Copies a matrix.</summary>
    /// <param name="rows">[count, dimension], row-major, finite; count may be 0.</param>
    /// <param name="dimension">From one.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the dimension, or a value is not finite.</exception>
    public ExactIndex(ReadOnlySpan<float> rows, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        if (rows.Length % dimension != 0)
        {
            throw new ArgumentException($"rows: {rows.Length} values: must be a multiple of the dimension, {dimension}", nameof(rows));
        }

        (Dimension, Count, stride) = (dimension, rows.Length / dimension, RoundUp(dimension, Lanes));
        tileRows = Math.Max(TopRows.Block, TileFloats / stride / TopRows.Block * TopRows.Block);
        matrix = new float[checked(RoundUp(Count, KernelRows) * stride)];
        for (var row = 0; row < Count; row++)
        {
            var values = rows.Slice(row * dimension, dimension);
            if (FirstNotFinite(values) is var column and >= 0)
            {
                throw new ArgumentException($"row {row}, column {column}: {values[column]}: must be finite", nameof(rows));
            }

            values.CopyTo(matrix.AsSpan(row * stride));
        }
    }

    /// <inheritdoc/>
    public string Backend => "exact-cpu";

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public long MemoryBytes => (long)matrix.Length * sizeof(float);

    /// <summary>One row, [dimension].</summary>
    public ReadOnlySpan<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return matrix.AsSpan(row * stride, Dimension);
    }

    /// <inheritdoc/>
    public SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentNullException.ThrowIfNull(masks);
        var batch = BatchSize(queries, masks);
        var padded = Pad(queries, batch);
        var heaps = new TopRows[batch];
        for (var query = 0; query < batch; query++)
        {
            heaps[query] = new TopRows(Math.Min(limit, Count));
        }

        if (Count > 0)
        {
            for (var start = 0; start < Count; start += tileRows)
            {
                var end = Math.Min(start + tileRows, Count);
                for (var query = 0; query < batch; query += KernelQueries)
                {
                    SearchTile(padded, query, start, end, heaps, masks);
                }
            }
        }

        return Array.ConvertAll(heaps, heap => heap.Take());
    }

    private static int RoundUp(int value, int multiple) => checked((value + multiple - 1) / multiple * multiple);

    private static int FirstNotFinite(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static ulong Allowed(ItemMask? mask, int firstRow, int rows)
    {
        var inRange = rows >= TopRows.Block ? ulong.MaxValue : (1UL << rows) - 1;
        return mask is null ? inRange : mask.Words[firstRow / TopRows.Block] & inRange;
    }

    private int BatchSize(ReadOnlySpan<float> queries, IReadOnlyList<ItemMask?> masks)
    {
        if (queries.Length % Dimension != 0)
        {
            throw new ArgumentException(
                $"queries: {queries.Length} values: must be a multiple of the dimension, {Dimension}", nameof(queries));
        }

        if (FirstNotFinite(queries) is var at and >= 0)
        {
            throw new ArgumentException(
                $"query {at / Dimension}, column {at % Dimension}: {queries[at]}: must be finite", nameof(queries));
        }

        var batch = queries.Length / Dimension;
        if (masks.Count != 0 && masks.Count != batch)
        {
            throw new ArgumentException($"masks: {masks.Count} of them: must be one a query, {batch}, or none", nameof(masks));
        }

        for (var query = 0; query < masks.Count; query++)
        {
            if (masks[query] is { } mask && mask.Length != Count)
            {
                throw new ArgumentException(
                    $"mask {query}: of {mask.Length} rows: must be of {Count}, the index's", nameof(masks));
            }
        }

        return batch;
    }

    private float[] Pad(ReadOnlySpan<float> queries, int batch)
    {
        var padded = new float[RoundUp(batch, KernelQueries) * stride];
        for (var query = 0; query < batch; query++)
        {
            queries.Slice(query * Dimension, Dimension).CopyTo(padded.AsSpan(query * stride));
        }

        return padded;
    }

    private void SearchTile(
        float[] queries, int query, int start, int end, TopRows[] heaps, IReadOnlyList<ItemMask?> masks)
    {
        Span<float> first = stackalloc float[TopRows.Block];
        Span<float> second = stackalloc float[TopRows.Block];
        var hasSecond = query + 1 < heaps.Length;
        var firstMask = masks.Count == 0 ? null : masks[query];
        var secondMask = masks.Count == 0 || !hasSecond ? null : masks[query + 1];
        var pair = queries.AsSpan(query * stride, KernelQueries * stride);
        for (var row = start; row < end; row += TopRows.Block)
        {
            var rows = Math.Min(TopRows.Block, end - row);
            var firstAllowed = Allowed(firstMask, row, rows);
            var secondAllowed = hasSecond ? Allowed(secondMask, row, rows) : 0;
            if ((firstAllowed | secondAllowed) == 0)
            {
                continue;
            }

            for (var i = 0; i < rows; i += KernelRows)
            {
                Products(matrix.AsSpan((row + i) * stride, KernelRows * stride), pair, first[i..], second[i..]);
            }

            heaps[query].Offer(first, row, firstAllowed);
            if (hasSecond)
            {
                heaps[query + 1].Offer(second, row, secondAllowed);
            }
        }
    }

    // Four rows by two queries: each load serves several products, and the eight sums stay in registers.
    private void Products(ReadOnlySpan<float> rows, ReadOnlySpan<float> pair, Span<float> first, Span<float> second)
    {
        ref var row = ref MemoryMarshal.GetReference(rows);
        ref var query = ref MemoryMarshal.GetReference(pair);
        Vector<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector<float> b0 = default, b1 = default, b2 = default, b3 = default;
        var width = (nuint)stride;
        for (nuint i = 0; i < width; i += (nuint)Vector<float>.Count)
        {
            var a = Vector.LoadUnsafe(ref query, i);
            var b = Vector.LoadUnsafe(ref query, width + i);
            var r = Vector.LoadUnsafe(ref row, i);
            a0 = Vector.FusedMultiplyAdd(r, a, a0);
            b0 = Vector.FusedMultiplyAdd(r, b, b0);
            r = Vector.LoadUnsafe(ref row, width + i);
            a1 = Vector.FusedMultiplyAdd(r, a, a1);
            b1 = Vector.FusedMultiplyAdd(r, b, b1);
            r = Vector.LoadUnsafe(ref row, (2 * width) + i);
            a2 = Vector.FusedMultiplyAdd(r, a, a2);
            b2 = Vector.FusedMultiplyAdd(r, b, b2);
            r = Vector.LoadUnsafe(ref row, (3 * width) + i);
            a3 = Vector.FusedMultiplyAdd(r, a, a3);
            b3 = Vector.FusedMultiplyAdd(r, b, b3);
        }

        (first[0], first[1], first[2], first[3]) = (Vector.Sum(a0), Vector.Sum(a1), Vector.Sum(a2), Vector.Sum(a3));
        (second[0], second[1], second[2], second[3]) = (Vector.Sum(b0), Vector.Sum(b1), Vector.Sum(b2), Vector.Sum(b3));
    }
}
