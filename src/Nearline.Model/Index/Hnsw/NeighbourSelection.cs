namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Chooses neighbours of a row by the heuristic of the paper (algorithm 4): a candidate at a smaller angle to one chosen
/// before than to the row itself is left out, since that one leads to it. Not thread-safe; keeps its memory.
/// </summary>
internal sealed class NeighbourSelection(BuildRows rows, int links)
{
    private readonly sbyte[] values = new sbyte[rows.Int8.Stride];
    private readonly int[] chosen = new int[(2 * links) + Int8Kernel.Rows];
    private readonly int[] sums = new int[Int8Kernel.Rows];

    /// <summary>Chooses.</summary>
    /// <param name="row">That chooses.</param>
    /// <param name="candidates">Keys of <see cref="Beam"/> with their scores in <see cref="BuildRows.At"/>, best first.</param>
    /// <param name="most">Rows to choose at most.</param>
    /// <returns>Best first; valid until the next call.</returns>
    public ReadOnlySpan<int> Choose(int row, ReadOnlySpan<ulong> candidates, int most)
    {
        var count = 0;
        foreach (var key in candidates)
        {
            if (count == most)
            {
                break;
            }

            var candidate = Beam.Row(key);
            if (candidates.Length <= most || !IsNearer(candidate, row, Selection.Score(key), count))
            {
                chosen[count++] = candidate;
            }
        }

        return chosen.AsSpan(0, count);
    }

    /// <summary>Whether a candidate is nearer to one of those chosen than it is to the row that chooses.</summary>
    private bool IsNearer(int candidate, int row, float score, int count)
    {
        if (count == 0)
        {
            return false;
        }

        // Both sides are cosines divided by what they have in common, the candidate's part.
        var (ofGreatest, _) = rows.Scales[candidate];
        var cosine = ofGreatest > 0 ? rows.Scales[row].OfOwn * (score / ofGreatest) : 0;
        var valuesSum = rows.Int8.CopyRow(candidate, values);
        for (var from = 0; from < count; from += Int8Kernel.Rows)
        {
            if (count < from + Int8Kernel.Rows)
            {
                chosen.AsSpan(count, from + Int8Kernel.Rows - count).Fill(chosen[0]);
            }

            var eight = chosen.AsSpan(from, Int8Kernel.Rows);
            rows.Int8.Products(eight, values, valuesSum, sums);
            for (var i = 0; i < eight.Length; i++)
            {
                if (rows.Scales[eight[i]].OfOwn * sums[i] > cosine)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
