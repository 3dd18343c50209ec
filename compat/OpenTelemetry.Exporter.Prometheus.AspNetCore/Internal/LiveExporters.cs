using OpenTelemetry.Metrics;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>
/// The exporters in this process. The SDK shows a provider's readers to its own packages alone, but an exporter knows
/// its provider once that is built.
/// </summary>
internal static class LiveExporters
{
    private static readonly Lock Gate = new();
    private static readonly List<WeakReference<PullExporter>> All = [];

    public static void Add(PullExporter exporter)
    {
        lock (Gate)
        {
            All.RemoveAll(r => !r.TryGetTarget(out _));
            All.Add(new WeakReference<PullExporter>(exporter));
        }
    }

    public static void Remove(PullExporter exporter)
    {
        lock (Gate)
        {
            All.RemoveAll(r => !r.TryGetTarget(out var target) || ReferenceEquals(target, exporter));
        }
    }

    /// <summary>The first exporter that was added to a provider, or null.</summary>
    public static PullExporter? Of(MeterProvider provider)
    {
        lock (Gate)
        {
            return All
                .Select(r => r.TryGetTarget(out var exporter) ? exporter : null)
                .FirstOrDefault(e => e is not null && ReferenceEquals(e.ParentProvider, provider));
        }
    }
}
