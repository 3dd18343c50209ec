namespace Nearline.Model.Evaluation;

/// <summary>
/// The sums that make the figures of a group of targets: vectors of <see cref="Width"/>, added target by target, and
/// divided at the end.
/// </summary>
internal static class MetricSums
{
    /// <summary>Sums of a group.</summary>
    public const int Width = 12;

    /// <summary>Figures of a group.</summary>
    public const int Figures = 10;

    private const int CountAt = 0;
    private const int HitsAt = 1;
    private const int GainsAt = 5;
    private const int ReciprocalAt = 9;
    private const int WeightAt = 10;
    private const int WeightedHitsAt = 11;

    private static readonly int[] Cutoffs = [5, 10, 20, 100];

    /// <summary>Adds one target.</summary>
    /// <param name="sums">The group's sums.</param>
    /// <param name="rank">From 1; 0: not found.</param>
    /// <param name="weight">What the target counts in the debiased Hit Ratio.</param>
    public static void Add(Span<double> sums, int rank, double weight)
    {
        sums[CountAt]++;
        sums[WeightAt] += weight;
        if (rank == 0)
        {
            return;
        }

        for (var c = 0; c < Cutoffs.Length; c++)
        {
            if (rank <= Cutoffs[c])
            {
                sums[HitsAt + c]++;
                sums[GainsAt + c] += 1 / Math.Log2(rank + 1);
            }
        }

        sums[ReciprocalAt] += 1.0 / rank;
        sums[WeightedHitsAt] += rank <= 20 ? weight : 0;
    }

    /// <summary>Targets of the group.</summary>
    public static int Count(ReadOnlySpan<double> sums) => (int)sums[CountAt];

    /// <summary>
    /// Recall at 5, 10, 20, 100, NDCG at the same, MRR, debiased Hit Ratio at 20; not numbers where there is no target.
    /// </summary>
    public static void Divide(ReadOnlySpan<double> sums, Span<double> figures)
    {
        for (var f = 0; f < Figures - 1; f++)
        {
            figures[f] = sums[HitsAt + f] / sums[CountAt];
        }

        figures[Figures - 1] = sums[WeightedHitsAt] / sums[WeightAt];
    }
}
