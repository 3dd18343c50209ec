namespace Nearline.Cli.Demo;

/// <summary>Measured times and their quantiles.</summary>
internal sealed class Latencies
{
    private readonly List<double> milliseconds = [];

    /// <summary>How many were measured.</summary>
    public int Count => milliseconds.Count;

    /// <summary>Adds one.</summary>
    public void Add(TimeSpan latency) => milliseconds.Add(latency.TotalMilliseconds);

    /// <summary>The time, in milliseconds, within which the given share stayed: nearest rank; NaN without any.</summary>
    public double Quantile(double share)
    {
        if (milliseconds.Count == 0)
        {
            return double.NaN;
        }

        var sorted = milliseconds.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}
