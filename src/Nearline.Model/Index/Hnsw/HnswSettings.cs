namespace Nearline.Model.Index.Hnsw;

/// <summary>How an <see cref="HnswIndex"/> is built (Malkov and Yashunin, 2018) and searched.</summary>
public sealed record HnswSettings
{
    /// <summary>Neighbours that a row chooses, M in the paper, from 2 to 256; at the base level it keeps up to twice as many.</summary>
    public int Links { get; init; } = 16;

    /// <summary>Rows among which it chooses, efConstruction in the paper, from 1.</summary>
    public int ConstructionBreadth { get; init; } = 200;

    /// <summary>Rows that a search keeps while it walks, ef in the paper, from 1; never fewer than are wanted. Null: <see cref="HnswIndex.DefaultBreadth"/>.</summary>
    public int? SearchBreadth { get; init; }

    /// <summary>Of the levels and the order of insertion. Equal rows, settings and seeds give equal files.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads that a search may use, the caller's among them; null: as many as there are cores.</summary>
    public int? Threads { get; init; }

    /// <summary>Threads that building may use; null: as many as there are cores. With 1 all is done on the caller's.</summary>
    public int? BuildThreads { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    internal void Check()
    {
        Check(nameof(Links), Links, HnswGraph.LeastLinks, HnswGraph.MostLinks);
        Check(nameof(ConstructionBreadth), ConstructionBreadth, 1, int.MaxValue);
        Check(nameof(SearchBreadth), SearchBreadth ?? 1, 1, int.MaxValue);
        Check(nameof(Threads), Threads ?? 1, 1, int.MaxValue);
        Check(nameof(BuildThreads), BuildThreads ?? 1, 1, int.MaxValue);
    }

    private static void Check(string name, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"settings: must be {(most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}")}");
        }
    }
}
