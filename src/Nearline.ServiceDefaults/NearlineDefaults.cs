using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Nearline.ServiceDefaults;

/// <summary>What worker and api have in common: telemetry, health endpoints, console logs.</summary>
public static class NearlineDefaults
{
    /// <summary>Where Prometheus scrapes.</summary>
    public const string MetricsPath = "/metrics";

    /// <summary>Answers 200 while the process can answer at all.</summary>
    public const string LivePath = "/healthz/live";

    /// <summary>Answers 200 when the service can do its work, 503 otherwise, with each check's state in JSON.</summary>
    public const string ReadyPath = "/healthz/ready";

    /// <summary>The tag of health checks that decide readiness.</summary>
    public const string ReadyTag = "ready";

    /// <summary>
    /// Adds metrics for Prometheus, traces (sent by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set), health
    /// checks, one-line console logs and <see cref="TimeProvider.System"/>.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="serviceName">The OpenTelemetry <c>service.name</c>.</param>
    /// <param name="sources">Names of the meters and activity sources to collect.</param>
    public static WebApplicationBuilder AddNearlineDefaults(
        this WebApplicationBuilder builder, string serviceName, params string[] sources)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // One error a failing check a probe: what is wrong stands in the answer to the probe.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHealthChecks();

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(serviceName))
            .WithMetrics(metrics => metrics
                .AddMeter(sources)
                .AddMeter("System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
                .DropMisnamed()
                .AddPrometheusExporter());
        if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            telemetry.WithTracing(tracing => tracing.AddSource(sources).AddOtlpExporter());
        }

        return builder;
    }

    /// <summary>
    /// Drops the runtime's gauges whose names end in "count": Prometheus keeps that ending for histograms, and
    /// <c>promtool check metrics</c> refuses the whole text for it.
    /// </summary>
    private static MeterProviderBuilder DropMisnamed(this MeterProviderBuilder metrics) => metrics
        .AddView("dotnet.assembly.count", MetricStreamConfiguration.Drop)
        .AddView("dotnet.process.cpu.count", MetricStreamConfiguration.Drop)
        .AddView("dotnet.timer.count", MetricStreamConfiguration.Drop);

    /// <summary>Maps <see cref="MetricsPath"/>, <see cref="LivePath"/> and <see cref="ReadyPath"/>.</summary>
    public static WebApplication MapNearlineDefaults(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapPrometheusScrapingEndpoint(MetricsPath);
        app.MapHealthChecks(LivePath, new HealthCheckOptions
        {
            Predicate = _ => false,
            ResponseWriter = HealthReportWriter.WriteAsync,
        });
        app.MapHealthChecks(ReadyPath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(ReadyTag),
            ResponseWriter = HealthReportWriter.WriteAsync,
            ResultStatusCodes = { [HealthStatus.Degraded] = 200 },
        });
        return app;
    }
}
