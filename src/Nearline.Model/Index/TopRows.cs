using System.Numerics;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// The best rows seen so far for one query: a heap with the worst on top. Rows are offered in ascending order, so a
/// row that equals the worst comes later and loses: that is the rule for ties.
/// </summary>
internal sealed class TopRows(int limit)
{
    /// <summary>How many rows are offered at once: the bits of a mask's word.</summary>
    public const int Block = 64;

    private readonly float[] scores = new float[limit];
    private readonly int[] rows = new int[limit];
    private int count;

    /// <summary>Offers rows from <paramref name="firstRow"/> on whose bit is set.</summary>
    public void Offer(ReadOnlySpan<float> block, int firstRow, ulong allowed)
    {
        if (count == limit)
        {
            allowed &= Above(block, scores[0]);
        }

        while (allowed != 0)
        {
            var bit = BitOperations.TrailingZeroCount(allowed);
            allowed &= allowed - 1;
            Offer(block[bit], firstRow + bit);
        }
    }

    /// <summary>Empties the heap, best first.</summary>
    public SearchResult Take()
    {
        var result = new SearchResult(new int[count], new float[count]);
        for (var i = count - 1; i >= 0; i--)
        {
            (result.Rows[i], result.Scores[i]) = (rows[0], scores[0]);
            count--;
            SiftDown(scores[count], rows[count]);
        }

        return result;
    }

    private static ulong Above(ReadOnlySpan<float> block, float threshold)
    {
        var limit = Vector256.Create(threshold);
        var above = 0UL;
        for (var i = 0; i < Block; i += Vector256<float>.Count)
        {
            var lanes = Vector256.GreaterThan(Vector256.Create(block.Slice(i, Vector256<float>.Count)), limit);
            above |= (ulong)lanes.ExtractMostSignificantBits() << i;
        }

        return above;
    }

    private void Offer(float score, int row)
    {
        // Only products beyond the range of float come to this; they rank last.
        score = float.IsNaN(score) ? float.NegativeInfinity : score;
        if (count < limit)
        {
            SiftUp(count++, score, row);
        }
        else if (score > scores[0])
        {
            SiftDown(score, row);
        }
    }

    private static bool IsWorse(float score, int row, float otherScore, int otherRow) =>
        score < otherScore || (score == otherScore && row > otherRow);

    private void SiftUp(int hole, float score, int row)
    {
        while (hole > 0)
        {
            var parent = (hole - 1) / 2;
            if (!IsWorse(score, row, scores[parent], rows[parent]))
            {
                break;
            }

            (scores[hole], rows[hole]) = (scores[parent], rows[parent]);
            hole = parent;
        }

        (scores[hole], rows[hole]) = (score, row);
    }

    // Puts an entry in place of the worst.
    private void SiftDown(float score, int row)
    {
        var hole = 0;
        while (true)
        {
            var child = (2 * hole) + 1;
            if (child >= count)
            {
                break;
            }

            if (child + 1 < count && IsWorse(scores[child + 1], rows[child + 1], scores[child], rows[child]))
            {
                child++;
            }

            if (!IsWorse(scores[child], rows[child], score, row))
            {
                break;
            }

            (scores[hole], rows[hole]) = (scores[child], rows[child]);
            hole = child;
        }

        (scores[hole], rows[hole]) = (score, row);
    }
}
