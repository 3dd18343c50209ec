using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter.Prometheus;
using OpenTelemetry.Metrics;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Serves metrics from a branch of the request pipeline.</summary>
public static class PrometheusExporterApplicationBuilderExtensions
{
    /// <summary>Serves metrics under the path of the options.</summary>
    public static IApplicationBuilder UseOpenTelemetryPrometheusScrapingEndpoint(this IApplicationBuilder app) =>
        UseOpenTelemetryPrometheusScrapingEndpoint(app, null, null, null, null, null);

    /// <summary>Serves metrics under a path.</summary>
    public static IApplicationBuilder UseOpenTelemetryPrometheusScrapingEndpoint(this IApplicationBuilder app, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return UseOpenTelemetryPrometheusScrapingEndpoint(app, null, null, path, null, null);
    }

    /// <summary>Serves metrics for the requests that the predicate chooses.</summary>
    public static IApplicationBuilder UseOpenTelemetryPrometheusScrapingEndpoint(
        this IApplicationBuilder app, Func<HttpContext, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return UseOpenTelemetryPrometheusScrapingEndpoint(app, null, predicate, null, null, null);
    }

    /// <summary>
    /// Serves the metrics of a provider (null: the container's) where the predicate says, or else under the path, or
    /// else under the path of the named options.
    /// </summary>
    /// <exception cref="ArgumentException">The provider has no Prometheus exporter.</exception>
    public static IApplicationBuilder UseOpenTelemetryPrometheusScrapingEndpoint(
        this IApplicationBuilder app,
        MeterProvider? meterProvider,
        Func<HttpContext, bool>? predicate,
        string? path,
        Action<IApplicationBuilder>? configureBranchedPipeline,
        string? optionsName)
    {
        ArgumentNullException.ThrowIfNull(app);
        // The provider first: building it runs the deferred configuration of the options.
        meterProvider ??= app.ApplicationServices.GetRequiredService<MeterProvider>();
        var endpoint = new ScrapeEndpoint(meterProvider);

        void Branch(IApplicationBuilder branch)
        {
            configureBranchedPipeline?.Invoke(branch);
            branch.Run(endpoint.InvokeAsync);
        }

        return predicate is not null
            ? app.MapWhen(predicate, Branch)
            : app.Map(ScrapeEndpoint.Path(app.ApplicationServices, path, optionsName), Branch);
    }
}
