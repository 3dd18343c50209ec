using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>Selection and order of scores, none of which is NaN.</summary>
internal static class Selection
{
    /// <summary>What the length of values must be a multiple of.</summary>
    public const int Lanes = 16;

    private const int FewKeys = 48;
    private const int ManyKeys = 4096;

    /// <summary>
    /// A threshold that as many values as wanted reach, and no more unless they are equal. Found by halving the interval
    /// of floats, a pass over the values each time: passes without branches are cheaper than a selection that swaps.
    /// </summary>
    /// <param name="values">A multiple of <see cref="Lanes"/>; those past <paramref name="count"/> are overwritten.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="wanted">How many must reach the threshold, from one to <paramref name="count"/>.</param>
    public static float Highest(Span<float> values, int count, int wanted)
    {
        values[count..].Fill(float.NegativeInfinity);
        var (least, greatest) = Range(values[..count]);

        // As many as wanted reach what is at `reached`, fewer what is at `missed`.
        var (reached, missed) = (Ordered(least), (long)Ordered(greatest) + 1);
        while (missed - reached > 1)
        {
            var middle = (int)((reached + missed) >> 1);
            var found = AtLeast(values, Value(middle));
            if (found == wanted)
            {
                return Value(middle);
            }

            (reached, missed) = found > wanted ? (middle, missed) : (reached, middle);
        }

        return Value((int)reached);
    }

    /// <summary>A number that is less for what comes first: the higher score, then the lower row.</summary>
    public static ulong Key(float score, int row) => ((ulong)(uint)(~Ordered(score) ^ int.MinValue) << 32) | (uint)row;

    /// <summary>The score of a key.</summary>
    public static float Score(ulong key) => Value(~((int)(key >> 32) ^ int.MinValue));

    /// <summary>The row of a key.</summary>
    public static int Row(ulong key) => (int)key;

    /// <summary>Puts keys in ascending order.</summary>
    /// <param name="keys">To sort.</param>
    /// <param name="spare">As many, to be overwritten.</param>
    [SkipLocalsInit]
    public static void Sort(Span<ulong> keys, Span<ulong> spare)
    {
        if (keys.Length is < FewKeys or > ManyKeys)
        {
            keys.Sort();
            return;
        }

        // By the bytes of the score, the lowest first: comparisons of a few hundred scores are guessed wrong too often.
        var from = keys;
        var to = spare[..keys.Length];
        Span<int> places = stackalloc int[256];
        for (var shift = 32; shift < 64; shift += 8)
        {
            places.Clear();
            foreach (var key in from)
            {
                places[(byte)(key >> shift)]++;
            }

            if (places[(byte)(from[0] >> shift)] == from.Length)
            {
                continue;
            }

            var place = 0;
            foreach (ref var count in places)
            {
                (count, place) = (place, place + count);
            }

            foreach (var key in from)
            {
                to[places[(byte)(key >> shift)]++] = key;
            }

            var sorted = to;
            to = from;
            from = sorted;
        }

        if (from != keys)
        {
            from.CopyTo(keys);
        }

        // Then by row where scores are equal.
        for (int i = 0, next; i < keys.Length; i = next)
        {
            for (next = i + 1; next < keys.Length && keys[next] >> 32 == keys[i] >> 32;)
            {
                next++;
            }

            if (next > i + 1)
            {
                keys[i..next].Sort();
            }
        }
    }

    // Whole numbers in the order of floats.
    private static int Ordered(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return bits ^ ((bits >> 31) & int.MaxValue);
    }

    private static float Value(int ordered) => BitConverter.Int32BitsToSingle(ordered ^ ((ordered >> 31) & int.MaxValue));

    private static (float Least, float Greatest) Range(ReadOnlySpan<float> values)
    {
        var (least, greatest) = (values[0], values[0]);
        ref var first = ref MemoryMarshal.GetReference(values);
        var whole = values.Length - (values.Length % Vector256<float>.Count);
        if (whole > 0)
        {
            var low = Vector256.LoadUnsafe(ref first);
            var high = low;
            for (var i = 0; i < whole; i += Vector256<float>.Count)
            {
                var next = Vector256.LoadUnsafe(ref first, (nuint)i);
                (low, high) = (Vector256.Min(low, next), Vector256.Max(high, next));
            }

            for (var i = 0; i < Vector256<float>.Count; i++)
            {
                (least, greatest) = (Math.Min(least, low[i]), Math.Max(greatest, high[i]));
            }
        }

        foreach (var value in values[whole..])
        {
            (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
        }

        return (least, greatest);
    }

    private static int AtLeast(ReadOnlySpan<float> values, float threshold)
    {
        var least = Vector256.Create(threshold);
        var (a, b) = (Vector256<int>.Zero, Vector256<int>.Zero);
        ref var first = ref MemoryMarshal.GetReference(values);
        for (nuint i = 0; i < (nuint)values.Length; i += Lanes)
        {
            a -= Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref first, i), least).AsInt32();
            b -= Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref first, i + (Lanes / 2)), least).AsInt32();
        }

        return Vector256.Sum(a + b);
    }
}
