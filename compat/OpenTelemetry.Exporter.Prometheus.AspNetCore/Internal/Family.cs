using OpenTelemetry.Metrics;

namespace OpenTelemetry.Exporter.Prometheus;

internal enum FamilyKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>What a metric is called, in one format.</summary>
/// <param name="Kind">Its Prometheus type.</param>
/// <param name="Name">Name in the TYPE, HELP and UNIT lines.</param>
/// <param name="SampleName">Name of a sample; histograms and created samples put their suffix behind <paramref name="Name"/>.</param>
/// <param name="Unit">Unit as Prometheus words, or null.</param>
internal sealed record Family(FamilyKind Kind, string Name, string SampleName, string? Unit)
{
    private const string Total = "_total";

    /// <summary>The text formats cannot hold exponential histograms.</summary>
    public static bool IsSupported(MetricType type) => type != MetricType.ExponentialHistogram;

    public static Family Of(Metric metric, bool openMetrics, bool noTotalSuffix)
    {
        var kind = KindOf(metric.MetricType);
        var unit = UnitNames.Suffix(metric.Unit);
        return openMetrics
            ? ForOpenMetrics(kind, metric.Name, unit)
            : ForText(kind, metric.Name, unit, noTotalSuffix);
    }

    private static Family ForText(FamilyKind kind, string rawName, string? unit, bool noTotalSuffix)
    {
        var name = Names.Sanitize(rawName);
        var hasUnit = unit is null || Ends(name, unit) || (kind == FamilyKind.Counter && Ends(name, unit + Total));
        if (!hasUnit)
        {
            name += "_" + unit;
        }

        if (kind == FamilyKind.Counter && !noTotalSuffix && !Ends(name, Total))
        {
            name += Total;
        }

        return new Family(kind, name, name, unit);
    }

    /// <summary>In OpenMetrics a counter's family has no "_total", its samples always have.</summary>
    private static Family ForOpenMetrics(FamilyKind kind, string rawName, string? unit)
    {
        var name = kind == FamilyKind.Counter ? WithoutTotal(rawName) : rawName;
        if (unit is not null && !Ends(name, unit))
        {
            name += "_" + unit;
        }

        name = Names.Sanitize(name);
        if (kind != FamilyKind.Counter)
        {
            return new Family(kind, name, name, unit);
        }

        var family = WithoutTotal(name);
        return new Family(kind, family, family + Total, unit);
    }

    private static FamilyKind KindOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => FamilyKind.Counter,
        MetricType.Histogram => FamilyKind.Histogram,
        _ => FamilyKind.Gauge,
    };

    private static bool Ends(string name, string suffix) => name.EndsWith(suffix, StringComparison.Ordinal);

    private static string WithoutTotal(string name) => Ends(name, Total) ? name[..^Total.Length] : name;
}
