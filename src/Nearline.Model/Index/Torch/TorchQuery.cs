using System.Numerics;

namespace Nearline.Model.Index;

/// <summary>One query of a search.</summary>
internal sealed class TorchQuery
{
    public TorchQuery(int place, ReadOnlySpan<float> values, int stride, ItemMask? mask)
    {
        (Place, Mask, Norm) = (place, mask, TorchError.Norm(values));
        Values = new float[stride];
        values.CopyTo(Values);
    }

    /// <summary>Which of the search.</summary>
    public int Place { get; }

    /// <summary>Its values, padded with zeros as rows are.</summary>
    public float[] Values { get; }

    public double Norm { get; }

    /// <summary>The rows that it is allowed; null: all.</summary>
    public ItemMask? Mask { get; }

    /// <summary>The rows that it is allowed, of so many.</summary>
    public int[] Allowed(int count)
    {
        if (Mask is null)
        {
            return [.. Enumerable.Range(0, count)];
        }

        var rows = new int[Mask.Count];
        var found = 0;
        for (var word = 0; word < Mask.Words.Length; word++)
        {
            for (var bits = Mask.Words[word]; bits != 0; bits &= bits - 1)
            {
                rows[found++] = (64 * word) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return rows;
    }
}
