namespace OpenTelemetry.Exporter;

/// <summary>How metrics are written for Prometheus and where they are served.</summary>
public class PrometheusAspNetCoreOptions
{
    internal const string DefaultScrapeEndpointPath = "/metrics";
    internal const int SmallestResponseLimit = 85_000;

    private int _cacheMilliseconds = 300;
    private int _maxResponseBytes = SmallestResponseLimit * 2048;

    /// <summary>Path of the endpoint: "/metrics".</summary>
    public string? ScrapeEndpointPath { get; set; } = DefaultScrapeEndpointPath;

    /// <summary>Whether counters keep their name without "_total" in the Prometheus text format. OpenMetrics always has it.</summary>
    public bool DisableTotalNameSuffixForCounters { get; set; }

    /// <summary>For how long a response is served again, in milliseconds, at least 0; 0 collects anew for each scrape.</summary>
    public int ScrapeResponseCacheDurationMilliseconds
    {
        get => _cacheMilliseconds;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _cacheMilliseconds = value;
        }
    }

    /// <summary>A larger response is not sent: the scrape fails with status 500. At least 85,000 bytes.</summary>
    public int MaxScrapeResponseSizeBytes
    {
        get => _maxResponseBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, SmallestResponseLimit);
            _maxResponseBytes = value;
        }
    }

    /// <summary>Whether each sample carries its meter as otel_scope_ labels.</summary>
    public bool ScopeInfoEnabled { get; set; } = true;

    /// <summary>Whether the resource is written as the metric target_info.</summary>
    public bool TargetInfoEnabled { get; set; } = true;

    /// <summary>Chooses, by key, resource attributes that become labels of every sample; null chooses none.</summary>
    public Func<string, bool>? ResourceConstantLabels { get; set; }
}
