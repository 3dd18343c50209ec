using System.Numerics;

namespace Nearline.Model.Index;

/// <summary>
/// A set of rows of an index: a bit a row. Changing it is cheap, a copy of 70,000 rows is 9 KB. Not thread-safe while
/// it is being changed.
/// </summary>
public sealed class ItemMask
{
    private const int WordBits = 64;

    // Bits past the length are always zero.
    private readonly ulong[] words;

    private ItemMask(int length, ulong[] words) => (Length, this.words) = (length, words);

    /// <summary>How many rows the index has.</summary>
    public int Length { get; }

    /// <summary>How many rows are in the set.</summary>
    public int Count => CountOf(words);

    /// <summary>64 rows a word, the lowest row in the lowest bit.</summary>
    internal ReadOnlySpan<ulong> Words => words;

    /// <summary>Whether a row is in the set.</summary>
    public bool this[int row]
    {
        get
        {
            Check(row);
            return (words[row / WordBits] >> (row % WordBits) & 1) != 0;
        }
    }

    /// <summary>The set of no row.</summary>
    public static ItemMask None(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new ItemMask(length, new ulong[WordsOf(length)]);
    }

    /// <summary>The set of all rows.</summary>
    public static ItemMask All(int length)
    {
        var mask = None(length);
        Array.Fill(mask.words, ulong.MaxValue);
        if (length % WordBits is var rest and not 0)
        {
            mask.words[^1] = (1UL << rest) - 1;
        }

        return mask;
    }

    /// <summary>The set of the rows for which the predicate holds.</summary>
    public static ItemMask Of(int length, Func<int, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        var mask = None(length);
        for (var row = 0; row < length; row++)
        {
            if (predicate(row))
            {
                mask.words[row / WordBits] |= 1UL << (row % WordBits);
            }
        }

        return mask;
    }

    /// <summary>A copy that can be changed by itself.</summary>
    public ItemMask Clone() => new(Length, (ulong[])words.Clone());

    /// <summary>Adds a row.</summary>
    public void Add(int row)
    {
        Check(row);
        words[row / WordBits] |= 1UL << (row % WordBits);
    }

    /// <summary>Takes a row out.</summary>
    public void Remove(int row)
    {
        Check(row);
        words[row / WordBits] &= ~(1UL << (row % WordBits));
    }

    /// <summary>Keeps the rows that the other set has too.</summary>
    public void And(ItemMask other)
    {
        var theirs = Fit(other);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] &= theirs[i];
        }
    }

    /// <summary>Takes out the rows that the other set has.</summary>
    public void AndNot(ItemMask other)
    {
        var theirs = Fit(other);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] &= ~theirs[i];
        }
    }

    /// <summary>Words of so many rows.</summary>
    internal static int WordsOf(int length) => (int)(((long)length + WordBits - 1) / WordBits);

    /// <summary>How many bits are set.</summary>
    internal static int CountOf(ReadOnlySpan<ulong> words)
    {
        var count = 0;
        foreach (var word in words)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }

    private ulong[] Fit(ItemMask other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.Length == Length
            ? other.words
            : throw new ArgumentException($"length: {other.Length}: must be {Length}, this mask's", nameof(other));
    }

    private void Check(int row)
    {
        if ((uint)row >= (uint)Length)
        {
            throw new ArgumentOutOfRangeException(nameof(row), row, $"must be from 0 to {Length - 1}");
        }
    }
}
