using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>The exporter that a scrape pulls from.</summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PullExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private readonly PrometheusAspNetCoreOptions _options;
    private Resource? _resource;

    public PullExporter(PrometheusAspNetCoreOptions options)
    {
        _options = options;
        Scrapes = new ScrapeCoordinator(
            Pull, TimeSpan.FromMilliseconds(options.ScrapeResponseCacheDurationMilliseconds), TimeProvider.System);
        LiveExporters.Add(this);
    }

    /// <summary>Set by the reader: collects and calls <see cref="Export"/> with what it found.</summary>
    public Func<int, bool>? Collect { get; set; }

    public ScrapeCoordinator Scrapes { get; }

    /// <summary>What to do with the metrics of the collection under way.</summary>
    private Action<IReadOnlyList<Metric>>? Render { get; set; }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        if (Render is not { } render)
        {
            // A forced flush of the provider: nobody waits for a response.
            return ExportResult.Success;
        }

        var metrics = new List<Metric>();
        foreach (var metric in batch)
        {
            metrics.Add(metric);
        }

        render(metrics);
        return ExportResult.Success;
    }

    protected override void Dispose(bool disposing)
    {
        LiveExporters.Remove(this);
        base.Dispose(disposing);
    }

    /// <summary>Collects once and writes the metrics in each format; a format that cannot be written is missing from the result.</summary>
    private IReadOnlyDictionary<TextFormat, byte[]>? Pull(Func<IReadOnlyCollection<TextFormat>> closeFormats)
    {
        var bodies = new Dictionary<TextFormat, byte[]>();
        Render = metrics =>
        {
            _resource ??= ParentProvider.GetResource();
            foreach (var format in closeFormats())
            {
                try
                {
                    bodies[format] = ExpositionWriter.Write(format, _options, _resource, metrics);
                }
                catch (Exception)
                {
                    // Too large, or a tag whose ToString fails: this response is an error, the other formats may stand.
                }
            }
        };
        try
        {
            return Collect!(Timeout.Infinite) ? bodies : null;
        }
        finally
        {
            Render = null;
        }
    }
}
