using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter.Prometheus;
using OpenTelemetry.Metrics;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Serves metrics as a routed endpoint.</summary>
public static class PrometheusExporterEndpointRouteBuilderExtensions
{
    /// <summary>Serves metrics on the path of the options.</summary>
    public static IEndpointConventionBuilder MapPrometheusScrapingEndpoint(this IEndpointRouteBuilder endpoints) =>
        MapPrometheusScrapingEndpoint(endpoints, null, null, null, null);

    /// <summary>Serves metrics on a path.</summary>
    public static IEndpointConventionBuilder MapPrometheusScrapingEndpoint(this IEndpointRouteBuilder endpoints, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return MapPrometheusScrapingEndpoint(endpoints, path, null, null, null);
    }

    /// <summary>Serves the metrics of a provider (null: the container's) on the path, or else on that of the named options.</summary>
    /// <exception cref="ArgumentException">The provider has no Prometheus exporter.</exception>
    public static IEndpointConventionBuilder MapPrometheusScrapingEndpoint(
        this IEndpointRouteBuilder endpoints,
        string? path,
        MeterProvider? meterProvider,
        Action<IApplicationBuilder>? configureBranchedPipeline,
        string? optionsName)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        // The provider first: building it runs the deferred configuration of the options.
        meterProvider ??= endpoints.ServiceProvider.GetRequiredService<MeterProvider>();
        var endpoint = new ScrapeEndpoint(meterProvider);
        var pipeline = endpoints.CreateApplicationBuilder();
        configureBranchedPipeline?.Invoke(pipeline);
        pipeline.Run(endpoint.InvokeAsync);
        return endpoints.Map(ScrapeEndpoint.Path(endpoints.ServiceProvider, path, optionsName), pipeline.Build());
    }
}
