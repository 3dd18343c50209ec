using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>Writes one collection of metrics in one format.</summary>
internal sealed class ExpositionWriter
{
    private const string BucketLabel = "le";

    private readonly TextBuffer _buffer;
    private readonly TextFormat _format;
    private readonly PrometheusAspNetCoreOptions _options;
    private readonly KeyValuePair<string, object>[] _constantLabels;
    private readonly Labels _labels = new();

    private ExpositionWriter(TextFormat format, PrometheusAspNetCoreOptions options, Resource resource)
    {
        _format = format;
        _options = options;
        _buffer = new TextBuffer(options.MaxScrapeResponseSizeBytes);
        _constantLabels = options.ResourceConstantLabels is { } chosen
            ? [.. resource.Attributes.Where(a => chosen(a.Key))]
            : [];
    }

    /// <summary>The response body.</summary>
    /// <exception cref="InvalidOperationException">It is larger than the options allow.</exception>
    public static byte[] Write(
        TextFormat format, PrometheusAspNetCoreOptions options, Resource resource, IReadOnlyList<Metric> metrics)
    {
        var writer = new ExpositionWriter(format, options, resource);
        if (options.TargetInfoEnabled)
        {
            writer.WriteTargetInfo(resource);
        }

        writer.WriteFamilies(metrics);
        if (format.IsOpenMetrics)
        {
            writer._buffer.Write("# EOF\n"u8);
        }

        return writer._buffer.Written.ToArray();
    }

    private void WriteTargetInfo(Resource resource)
    {
        if (!resource.Attributes.Any())
        {
            return;
        }

        // Only OpenMetrics knows the type info, whose samples carry the suffix that the family lacks.
        var (family, type) = _format.IsOpenMetrics ? ("target", "info") : ("target_info", "gauge");
        WriteLine("TYPE", family, type);
        WriteLine("HELP", family, "Target metadata");
        _labels.Clear();
        foreach (var (key, value) in resource.Attributes)
        {
            _labels.Add(key, value);
        }

        _buffer.Write("target_info{"u8);
        WriteLabels();
        _buffer.Write("} 1\n"u8);
    }

    /// <summary>
    /// Metrics of one name, from whichever meters, are one family: written together under one head. Where their types
    /// differ none of them is written, as a scraper would refuse the whole response.
    /// </summary>
    private void WriteFamilies(IReadOnlyList<Metric> metrics)
    {
        var families = metrics
            .Where(m => Family.IsSupported(m.MetricType))
            .Select(m => (Metric: m, Family: Family.Of(m, _format.IsOpenMetrics, _options.DisableTotalNameSuffixForCounters)))
            .GroupBy(m => m.Family.Name, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        foreach (var members in families)
        {
            if (members.Select(m => m.Family.Kind).Distinct().Skip(1).Any())
            {
                continue;
            }

            WriteHead(
                members.First().Family,
                members.Select(m => m.Family.Unit).FirstOrDefault(u => u is not null),
                members.Select(m => m.Metric.Description).FirstOrDefault(d => !string.IsNullOrEmpty(d)));
            foreach (var (metric, family) in members
                .OrderBy(m => m.Metric.MeterName, StringComparer.Ordinal)
                .ThenBy(m => m.Metric.Name, StringComparer.Ordinal))
            {
                WriteSamples(metric, family);
            }
        }
    }

    private void WriteHead(Family family, string? unit, string? help)
    {
        WriteLine("TYPE", family.Name, family.Kind switch
        {
            FamilyKind.Counter => "counter",
            FamilyKind.Histogram => "histogram",
            _ => "gauge",
        });
        if (unit is not null && _format.IsOpenMetrics)
        {
            WriteLine("UNIT", family.Name, unit);
        }

        if (help is not null)
        {
            WriteLine("HELP", family.Name, help);
        }
    }

    private void WriteLine(string keyword, string family, string text)
    {
        _buffer.Write("# "u8);
        _buffer.Write(keyword);
        _buffer.Write(" "u8);
        _buffer.Write(family);
        _buffer.Write(" "u8);
        _buffer.WriteEscaped(text, quotationMarks: _format.IsOpenMetrics);
        _buffer.Write("\n"u8);
    }

    private void WriteSamples(Metric metric, Family family)
    {
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            CollectLabels(metric, in point);
            if (family.Kind == FamilyKind.Histogram)
            {
                WriteHistogram(family, in point);
            }
            else
            {
                Begin(family.SampleName, "");
                WriteLabels();
                WriteNumber(metric, in point);
            }

            if (_format.IsOpenMetrics && family.Kind != FamilyKind.Gauge && point.StartTime != default)
            {
                Begin(family.Name, "_created");
                WriteLabels();
                End(Numbers.Value((point.StartTime - DateTimeOffset.UnixEpoch).Ticks / (double)TimeSpan.TicksPerSecond));
            }
        }
    }

    private void CollectLabels(Metric metric, in MetricPoint point)
    {
        _labels.Clear();
        if (_options.ScopeInfoEnabled)
        {
            ScopeLabels.AddTo(_labels, metric);
        }

        foreach (var (key, value) in point.Tags)
        {
            _labels.Add(key, value);
        }

        foreach (var (key, value) in _constantLabels)
        {
            _labels.Add(key, value);
        }

        if (metric.MetricType.IsHistogram())
        {
            _labels.Remove(BucketLabel);
        }
    }

    private void WriteHistogram(Family family, in MetricPoint point)
    {
        var cumulative = 0L;
        var negativeBounds = false;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            negativeBounds |= bucket.ExplicitBound < 0;
            Begin(family.Name, "_bucket");
            if (WriteLabels())
            {
                _buffer.Write(","u8);
            }

            _buffer.Write("le=\""u8);
            _buffer.Write(_format.IsOpenMetrics ? Numbers.Canonical(bucket.ExplicitBound) : Numbers.Value(bucket.ExplicitBound));
            _buffer.Write("\"} "u8);
            _buffer.Write(cumulative);
            _buffer.Write("\n"u8);
        }

        // OpenMetrics forbids the sum where observations may be negative, and a count without a sum.
        if (_format.IsOpenMetrics && negativeBounds)
        {
            return;
        }

        Begin(family.Name, "_sum");
        WriteLabels();
        End(Numbers.Value(point.GetHistogramSum()));
        Begin(family.Name, "_count");
        WriteLabels();
        End(point.GetHistogramCount());
    }

    private void WriteNumber(Metric metric, in MetricPoint point)
    {
        switch (metric.MetricType)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                End(point.GetSumLong());
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                End(Numbers.Value(point.GetSumDouble()));
                break;
            case MetricType.LongGauge:
                End(point.GetGaugeLastValueLong());
                break;
            default:
                End(Numbers.Value(point.GetGaugeLastValueDouble()));
                break;
        }
    }

    private void Begin(string name, string suffix)
    {
        _buffer.Write(name);
        _buffer.Write(suffix);
        _buffer.Write("{"u8);
    }

    private void End(string value)
    {
        _buffer.Write("} "u8);
        _buffer.Write(value);
        _buffer.Write("\n"u8);
    }

    private void End(long value)
    {
        _buffer.Write("} "u8);
        _buffer.Write(value);
        _buffer.Write("\n"u8);
    }

    /// <returns>Whether there was any.</returns>
    private bool WriteLabels()
    {
        for (var i = 0; i < _labels.Count; i++)
        {
            if (i > 0)
            {
                _buffer.Write(","u8);
            }

            _buffer.Write(_labels.Name(i));
            _buffer.Write("=\""u8);
            _buffer.WriteEscaped(_labels.Value(i), quotationMarks: true);
            _buffer.Write("\""u8);
        }

        return _labels.Count > 0;
    }
}
