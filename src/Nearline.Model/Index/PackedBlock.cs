using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Nearline.Model.Index;

/// <summary>Which rows of a mask make a block, so that they can be bounded together: the next 64 of a walk.</summary>
internal sealed class PackedBlock
{
    private readonly int[] rows = new int[Int8Rows.Block];
    private readonly Part[] parts = new Part[Int8Rows.Block];
    private int partCount;

    /// <summary>The rows; fewer than a block at a walk's end, none past it.</summary>
    public ReadOnlySpan<int> Rows => rows.AsSpan(0, Count);

    private int Count { get; set; }

    /// <summary>Takes the next rows and has them fetched.</summary>
    /// <param name="mask">Words of a mask.</param>
    /// <param name="walk">The block to go on with.</param>
    /// <param name="taken">Of its rows those that were taken before.</param>
    /// <param name="int8">What to fetch from.</param>
    public void Fill(ReadOnlySpan<ulong> mask, ref StripWalk walk, ref ulong taken, Int8Rows int8)
    {
        (Count, partCount) = (0, 0);
        for (; walk.Row >= 0; walk.Next())
        {
            var word = walk.Row / Int8Rows.Block;
            var left = mask[word] & ~taken;
            var some = Lowest(left, Int8Rows.Block - Count);
            if (some != 0)
            {
                parts[partCount++] = new Part(some, word, Count);
            }

            for (var bits = some; bits != 0; bits &= bits - 1)
            {
                var row = walk.Row + BitOperations.TrailingZeroCount(bits);
                rows[Count++] = row;
                int8.PrefetchNear(row);
            }

            if (some != left)
            {
                taken |= some;
                return;
            }

            taken = 0;
        }
    }

    /// <summary>Which of the rows a mask allows, a bit each.</summary>
    public ulong Allowed(ItemMask mask)
    {
        var words = mask.Words;
        var allowed = 0UL;
        foreach (ref readonly var part in parts.AsSpan(0, partCount))
        {
            allowed |= Extract(words[part.Word], part.Bits) << part.At;
        }

        return allowed;
    }

    // The bits that are chosen, next to each other.
    private static ulong Extract(ulong word, ulong chosen)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitExtract(word, chosen);
        }

        var extracted = 0UL;
        for (var at = 0; chosen != 0; chosen &= chosen - 1, at++)
        {
            extracted |= (word >> BitOperations.TrailingZeroCount(chosen) & 1) << at;
        }

        return extracted;
    }

    private static ulong Lowest(ulong bits, int count)
    {
        if (BitOperations.PopCount(bits) <= count)
        {
            return bits;
        }

        var rest = bits;
        for (var i = 0; i < count; i++)
        {
            rest &= rest - 1;
        }

        return bits ^ rest;
    }

    /// <summary>Rows of one word.</summary>
    /// <param name="Bits">Which.</param>
    /// <param name="Word">Of the mask.</param>
    /// <param name="At">Place of the first among the block's rows.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Part(ulong Bits, int Word, int At);
}
