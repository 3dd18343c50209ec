using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>The best rows that a walk has seen, in order, and which of them it has been to.</summary>
internal sealed class Beam
{
    // A key says score, row and in its lowest bit whether the walk was there.
    private ulong[] keys = [];
    private int breadth;
    private int count;
    private int next;

    /// <summary>A row with a score that is not above it comes to nothing.</summary>
    public float Worst { get; private set; }

    public int Count => count;

    public bool IsFull => count == breadth;

    /// <summary>Best first; to be read by <see cref="Row"/> and <see cref="Selection.Score"/>.</summary>
    public ReadOnlySpan<ulong> Keys => keys.AsSpan(0, count);

    /// <summary>The row of a key.</summary>
    public static int Row(ulong key) => (int)((uint)key >> 1);

    /// <summary>A key, less for what is better: the higher score, then the lower row.</summary>
    public static ulong Key(float score, int row) => Selection.Key(score, row << 1);

    /// <summary>Empties it.</summary>
    /// <param name="rows">That it keeps at most, from one.</param>
    public void Reset(int rows)
    {
        (breadth, count, next, Worst) = (rows, 0, 0, float.NegativeInfinity);
        if (keys.Length < rows)
        {
            keys = new ulong[Math.Max(rows, 2 * keys.Length)];
        }
    }

    /// <summary>Adds a row, each at most once.</summary>
    /// <returns>Whether it is among the best.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(float score, int row)
    {
        if (score > Worst || count < breadth)
        {
            Insert(Key(score, row));
            return true;
        }

        return false;
    }

    /// <summary>The best row that the walk has not been to; it has then.</summary>
    /// <returns>Negative where there is none.</returns>
    public int Next()
    {
        while (next < count)
        {
            ref var key = ref keys[next++];
            if ((key & 1) == 0)
            {
                key |= 1;
                return Row(key);
            }
        }

        return -1;
    }

    private void Insert(ulong key)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(keys);

        // Where it belongs, halving without branches, which would be guessed wrong every other time.
        nint at = 0;
        for (nint size = count; size > 0;)
        {
            var half = (size + 1) >> 1;
            at += Unsafe.Add(ref first, at + half - 1) < key ? half : 0;
            size -= half;
        }

        var place = (int)at;
        if (count < breadth)
        {
            count++;
        }

        keys.AsSpan(place, count - 1 - place).CopyTo(keys.AsSpan(place + 1));
        keys[place] = key;
        next = Math.Min(next, place);
        if (count == breadth)
        {
            Worst = Selection.Score(keys[count - 1]);
        }
    }
}
