using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>Which rows a walk has seen: a bit a row, so that those of a million rows stay in the second-level cache.</summary>
internal sealed class VisitedRows(int count)
{
    private readonly ulong[] words = new ulong[((long)count + 63) / 64];
    private readonly List<int> seen = [];

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        // Word by word unless that is more than there are.
        if (seen.Count > words.Length / 8)
        {
            Array.Clear(words);
        }
        else
        {
            foreach (var row in seen)
            {
                words[row >> 6] = 0;
            }
        }

        seen.Clear();
    }

    /// <summary>Adds a row.</summary>
    /// <returns>False where it was there.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(int row)
    {
        ref var word = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(words), row >> 6);
        var bit = 1UL << row;
        if ((word & bit) != 0)
        {
            return false;
        }

        word |= bit;
        seen.Add(row);
        return true;
    }
}
