using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Nearline.Compat.Telemetry.Tests;

/// <summary>A Kestrel application on a free loopback port that serves the metrics of meters made for one test.</summary>
internal sealed class ScrapeApp : IAsyncDisposable
{
    public const string OpenMetrics = "application/openmetrics-text;version=1.0.0";

    private static int _meters;
    private readonly List<Meter> _owned = [];
    private WebApplication? _app;

    private HttpClient? _http;

    public HttpClient Http => _http!;

    public Uri Address => Http.BaseAddress!;

    public Meter Meter(string? name = null, string? version = null)
    {
        // Another test's meter of the same name would be heard too.
        var meter = new Meter(name ?? $"meter-{Interlocked.Increment(ref _meters)}", version);
        _owned.Add(meter);
        return meter;
    }

    public async Task<ScrapeApp> StartAsync(
        Action<PrometheusAspNetCoreOptions>? options = null,
        Action<WebApplication>? map = null,
        Action<MeterProviderBuilder>? metrics = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<ResourceBuilder>? resource = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(r =>
            {
                r.Clear();
                resource?.Invoke(r);
            })
            .WithMetrics(b =>
            {
                foreach (var name in _owned.Select(m => m.Name).Distinct(StringComparer.Ordinal))
                {
                    b.AddMeter(name);
                }

                metrics?.Invoke(b);
                b.AddPrometheusExporter(o =>
                {
                    o.ScrapeResponseCacheDurationMilliseconds = 0;
                    o.ScopeInfoEnabled = false;
                    options?.Invoke(o);
                });
            });
        configure?.Invoke(builder);
        _app = builder.Build();
        if (map is null)
        {
            _app.MapPrometheusScrapingEndpoint();
        }
        else
        {
            map(_app);
        }

        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        return this;
    }

    public async Task<string> TextAsync(string? accept = null, string path = "/metrics")
    {
        using var response = await GetAsync(accept, path);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }

    public async Task<HttpResponseMessage> GetAsync(string? accept = null, string path = "/metrics")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        return await Http.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        _owned.ForEach(m => m.Dispose());
    }
}
