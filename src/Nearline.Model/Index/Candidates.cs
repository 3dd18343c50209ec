using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// The rows that may still be among the best for one query, each with bounds of its score. A row is dropped once as many
/// others as are wanted have lower bounds above its upper bound. While only a part of all rows was offered, the threshold
/// may be a guess, which rows to come have to prove.
/// </summary>
internal sealed class Candidates
{
    private const int Room = Int8Rows.Block;
    private const int Least = 384;

    // Twice what is bounded together, the later half being on its way from memory, and a block that comes on top.
    private readonly int[] waiting = new int[3 * Room];
    private int[] rows = [];
    private float[] lower = [];
    private float[] upper = [];
    private int wanted;
    private int limit;
    private int full;
    private int count;
    private int waitingCount;

    /// <summary>An upper bound below it is of no interest.</summary>
    public float Threshold { get; private set; }

    /// <summary>How many rows were offered; kept by who offers them.</summary>
    public int Seen { get; set; }

    /// <summary>Whether as many rows as are wanted are known to reach <see cref="Threshold"/>: then nothing was dropped that may be among the best.</summary>
    public bool IsProven
    {
        get
        {
            var reached = 0;
            foreach (var bound in Lower)
            {
                reached += bound >= Threshold ? 1 : 0;
            }

            return float.IsNegativeInfinity(Threshold) || reached >= wanted;
        }
    }

    /// <summary>The rows, each once, in any order.</summary>
    public ReadOnlySpan<int> Rows => rows.AsSpan(0, count);

    /// <summary>At most their scores.</summary>
    public ReadOnlySpan<float> Lower => lower.AsSpan(0, count);

    /// <summary>At least their scores.</summary>
    public ReadOnlySpan<float> Upper => upper.AsSpan(0, count);

    /// <summary>The rows that waited longest, as many as are bounded together; see <see cref="Await"/>.</summary>
    public ReadOnlySpan<int> Waiting => waiting.AsSpan(0, Math.Min(Room, waitingCount));

    /// <summary>Empties it.</summary>
    /// <param name="best">How many rows are wanted, from one.</param>
    public void Reset(int best)
    {
        (wanted, limit, count, waitingCount, Seen, Threshold) = (best, best, 0, 0, 0, float.NegativeInfinity);
        var capacity = checked(wanted + Math.Max(Least, wanted / 2) + Room) / Room * Room;
        if (rows.Length < capacity)
        {
            Resize(capacity);
        }

        Spare();
    }

    /// <summary>Makes room for <see cref="Room"/> rows more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MakeRoom()
    {
        if (count + Room > full)
        {
            Compact();
            if (count > rows.Length / 4 * 3 || count + Room > rows.Length)
            {
                Resize(checked(rows.Length * 2));
            }

            Spare();
        }
    }

    /// <summary>Adds a row, for which there is room.</summary>
    public void Add(int row, float score)
    {
        (rows[count], lower[count], upper[count]) = (row, score, score);
        count++;
    }

    /// <summary>Adds rows of a block, for which there is room, with their bounds.</summary>
    /// <param name="passed">A bit for each row that is added.</param>
    /// <param name="firstRow">The row of the lowest bit, the next bit's the next.</param>
    /// <param name="rowsOfBits">The rows of the bits where they do not follow each other; else empty.</param>
    /// <param name="sums">A product a bit.</param>
    /// <param name="scale">A scale a bit.</param>
    /// <param name="error">An error a bit.</param>
    /// <param name="norm">A norm a bit.</param>
    /// <param name="bounds">The query's.</param>
    public void Add(
        ulong passed,
        int firstRow,
        ReadOnlySpan<int> rowsOfBits,
        ReadOnlySpan<int> sums,
        ref float scale,
        ref float error,
        ref float norm,
        in QuantizedQuery bounds)
    {
        ref var row = ref MemoryMarshal.GetArrayDataReference(rows);
        ref var from = ref MemoryMarshal.GetArrayDataReference(lower);
        ref var to = ref MemoryMarshal.GetArrayDataReference(upper);
        var (errorFactor, normFactor, constant) = (bounds.ErrorFactor, bounds.NormFactor, bounds.Constant);
        nint at = count;
        for (; passed != 0; passed &= passed - 1)
        {
            var i = BitOperations.TrailingZeroCount(passed);
            var width = MathF.FusedMultiplyAdd(
                errorFactor, Unsafe.Add(ref error, i), MathF.FusedMultiplyAdd(normFactor, Unsafe.Add(ref norm, i), constant));
            Unsafe.Add(ref row, at) = firstRow + i;
            Unsafe.Add(ref from, at) = MathF.FusedMultiplyAdd(Unsafe.Add(ref scale, i), sums[i], -width);
            Unsafe.Add(ref to, at) = MathF.FusedMultiplyAdd(Unsafe.Add(ref scale, i), sums[i], width);
            at++;
        }

        for (var i = count; i < at && !rowsOfBits.IsEmpty; i++)
        {
            rows[i] = rowsOfBits[rows[i] - firstRow];
        }

        count = (int)at;
    }

    /// <summary>Lets rows of a block wait until enough are there to be bounded together.</summary>
    /// <param name="firstRow">The row of the lowest bit.</param>
    /// <param name="rowsOfBlock">Their bits.</param>
    /// <param name="fetched">What they are to be fetched from meanwhile; null: nothing.</param>
    /// <returns>Whether some must be served before others come.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Await(int firstRow, ulong rowsOfBlock, Int8Rows? fetched)
    {
        ref var to = ref MemoryMarshal.GetArrayDataReference(waiting);
        nint at = waitingCount;
        for (; rowsOfBlock != 0; rowsOfBlock &= rowsOfBlock - 1)
        {
            var row = firstRow + BitOperations.TrailingZeroCount(rowsOfBlock);
            Unsafe.Add(ref to, at++) = row;
            fetched?.Prefetch(row);
        }

        waitingCount = (int)at;
        return waitingCount >= 2 * Room;
    }

    /// <summary>Lets <see cref="Waiting"/> wait no more.</summary>
    public void Served()
    {
        var served = Waiting.Length;
        waiting.AsSpan(served, waitingCount - served).CopyTo(waiting);
        waitingCount -= served;
    }

    /// <summary>
    /// Of the rows offered so far and until this is called again, only so many are expected among the best of all: the
    /// threshold follows them. All that are wanted: it is no guess any more, unless it was too high before.
    /// </summary>
    public void Expect(int rowsAmongBest)
    {
        limit = Math.Min(rowsAmongBest, wanted);
        Spare();
    }

    /// <summary>Takes over a threshold that holds for the query in other rows too.</summary>
    public void Raise(float threshold) => Threshold = Math.Max(Threshold, threshold);

    /// <summary>Adds the candidates of other rows.</summary>
    public void Append(Candidates other)
    {
        Raise(other.Threshold);
        var capacity = checked(count + other.count + Room) / Room * Room;
        if (rows.Length < capacity)
        {
            Resize(capacity);
        }

        other.Rows.CopyTo(rows.AsSpan(count));
        other.Lower.CopyTo(lower.AsSpan(count));
        other.Upper.CopyTo(upper.AsSpan(count));
        count += other.count;
    }

    /// <summary>Drops what cannot be among the best.</summary>
    public void Compact()
    {
        if (count > limit)
        {
            Raise(Selection.Highest(lower.AsSpan(0, (count + Selection.Lanes - 1) / Selection.Lanes * Selection.Lanes), count, limit));
        }

        var (from, least) = (count, Threshold);
        ref var row = ref MemoryMarshal.GetArrayDataReference(rows);
        ref var low = ref MemoryMarshal.GetArrayDataReference(lower);
        ref var high = ref MemoryMarshal.GetArrayDataReference(upper);
        count = 0;
        for (var i = 0; i < from; i++)
        {
            // Without a branch, which would be guessed wrong every other time.
            var to = Unsafe.Add(ref high, i);
            Unsafe.Add(ref row, count) = Unsafe.Add(ref row, i);
            Unsafe.Add(ref low, count) = Unsafe.Add(ref low, i);
            Unsafe.Add(ref high, count) = to;
            count += to >= least ? 1 : 0;
        }
    }

    // More rows are taken before the threshold follows them; too few, and following takes the time.
    private void Spare() => full = Math.Min(rows.Length, count + Math.Max(Least, limit) + Room);

    private void Resize(int capacity)
    {
        Array.Resize(ref rows, capacity);
        Array.Resize(ref lower, capacity);
        Array.Resize(ref upper, capacity);
    }
}
