using OpenTelemetry.Metrics;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>A metric's meter as otel_scope_ labels.</summary>
internal static class ScopeLabels
{
    private const string Prefix = "otel_scope_";
    private static readonly string[] Reserved = [Prefix + "name", Prefix + "version", Prefix + "schema_url"];

    public static void AddTo(Labels labels, Metric metric)
    {
        labels.Add(Reserved[0], Reserved[0], metric.MeterName);
        if (!string.IsNullOrEmpty(metric.MeterVersion))
        {
            labels.Add(Reserved[1], Reserved[1], metric.MeterVersion);
        }

        if (!string.IsNullOrEmpty(metric.MeterSchemaUrl))
        {
            labels.Add(Reserved[2], Reserved[2], metric.MeterSchemaUrl);
        }

        foreach (var (key, value) in metric.MeterTags ?? [])
        {
            // A meter's own tag cannot pass for its name, version or schema.
            var name = Names.SanitizeLabel(Prefix + key);
            if (!Reserved.Contains(name))
            {
                labels.Add(name, key, value);
            }
        }
    }
}
