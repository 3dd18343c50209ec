namespace Nearline.Model.Evaluation;

/// <summary>Percentile bootstrap: how far figures would move had other users of the same kind come.</summary>
internal static class Bootstrap
{
    private const double Confidence = 0.95;

    /// <summary>Intervals of several statistics from the same draws.</summary>
    /// <param name="units">What is resampled, with repetition: this many users.</param>
    /// <param name="draws">How often.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="statistics">
    /// The statistics, from how often each unit was drawn. One that is not a number in a draw, for want of targets, is
    /// left out of that draw.
    /// </param>
    public static Interval[] Intervals(int units, int draws, int seed, Func<int[], double[]> statistics)
    {
        var random = new Random(seed);
        var times = new int[units];
        var drawn = new List<double[]>(draws);
        for (var d = 0; d < draws; d++)
        {
            Array.Clear(times);
            for (var i = 0; i < units; i++)
            {
                times[random.Next(units)]++;
            }

            drawn.Add(statistics(times));
        }

        return [.. Enumerable.Range(0, drawn[0].Length).Select(s => IntervalOf([.. drawn.Select(d => d[s]).Where(v => !double.IsNaN(v)).Order()]))];
    }

    private static Interval IntervalOf(double[] sorted) =>
        new(Quantile(sorted, (1 - Confidence) / 2), Quantile(sorted, (1 + Confidence) / 2));

    private static double Quantile(double[] sorted, double share)
    {
        if (sorted.Length == 0)
        {
            return 0;
        }

        var at = share * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }
}
