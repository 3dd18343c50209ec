namespace Nearline.Model.Index.Hnsw;

/// <summary>What chance decides, from a seed alone: the level of each row and the order in which rows are inserted.</summary>
internal static class HnswOrder
{
    private const int MostLevels = 32;

    /// <summary>Levels: a row is in level k with probability links^-k, as in the paper.</summary>
    public static byte[] Levels(int count, int links, ulong seed)
    {
        // Whole numbers, so that every machine agrees.
        var thresholds = new List<ulong>();
        for (var threshold = ulong.MaxValue / (ulong)links; threshold > 0 && thresholds.Count < MostLevels; threshold /= (ulong)links)
        {
            thresholds.Add(threshold);
        }

        var levels = new byte[count];
        for (var row = 0; row < count; row++)
        {
            var hash = Hash(row, seed);
            while (levels[row] < thresholds.Count && hash < thresholds[levels[row]])
            {
                levels[row]++;
            }
        }

        return levels;
    }

    /// <summary>
    /// Rows in the order of insertion: the highest level first, so that walks start from the same row throughout, and
    /// rows of a level in any order but their own, which may follow what they mean.
    /// </summary>
    public static int[] Insertion(ReadOnlySpan<byte> levels, int first, ulong seed)
    {
        var order = new int[levels.Length];
        var keys = new ulong[levels.Length];
        for (var row = 0; row < order.Length; row++)
        {
            const int LevelBits = 6;
            (order[row], keys[row]) = (row, ((ulong)(MostLevels - levels[row]) << (64 - LevelBits)) | (Hash(row, ~seed) >> LevelBits));
        }

        if (order.Length > 0)
        {
            keys[first] = 0;
        }

        Array.Sort(keys, order);
        return order;
    }

    // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    private static ulong Hash(int row, ulong seed)
    {
        var z = seed + (((ulong)row + 1) * 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
