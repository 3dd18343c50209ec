using System.Globalization;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OpenTelemetry.Metrics;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>Answers scrape requests.</summary>
internal sealed class ScrapeEndpoint
{
    private const string TimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds";

    private readonly PullExporter? _exporter;

    /// <exception cref="ArgumentException">The provider has no Prometheus exporter.</exception>
    public ScrapeEndpoint(MeterProvider provider)
    {
        // With OTEL_SDK_DISABLED the provider does nothing and so does the endpoint.
        _exporter = LiveExporters.Of(provider);
        if (_exporter is null && provider.GetType().Name != "NoopMeterProvider")
        {
            throw new ArgumentException(
                "The MeterProvider has no Prometheus exporter; call AddPrometheusExporter() on its builder.", nameof(provider));
        }
    }

    /// <summary>The path given, else that of the named options, with a leading slash.</summary>
    public static string Path(IServiceProvider services, string? path, string? optionsName)
    {
        path ??= services.GetRequiredService<IOptionsMonitor<PrometheusAspNetCoreOptions>>()
            .Get(optionsName ?? Options.DefaultName).ScrapeEndpointPath ?? PrometheusAspNetCoreOptions.DefaultScrapeEndpointPath;
        return path.StartsWith('/') ? path : "/" + path;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (_exporter is null)
        {
            return;
        }

        var headers = context.Request.GetTypedHeaders();
        var format = TextFormat.Negotiate(headers.Accept);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (ScrapeTimeout(context.Request) is { } timeout)
        {
            deadline.CancelAfter(timeout);
        }

        try
        {
            // Collecting calls the application's instruments, which may block: not on the server's thread.
            var scrape = await Task.Run(() => _exporter.Scrapes.ScrapeAsync(format, deadline.Token), deadline.Token)
                .WaitAsync(deadline.Token).ConfigureAwait(false);
            if (scrape is null)
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return;
            }

            await RespondAsync(context.Response, format, scrape, AcceptsGzip(headers), deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status408RequestTimeout;
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    private static async Task RespondAsync(
        HttpResponse response, TextFormat format, Scrape scrape, bool gzip, CancellationToken cancellationToken)
    {
        response.StatusCode = StatusCodes.Status200OK;
        if (scrape.Body.Length == 0)
        {
            return;
        }

        response.ContentType = format.ContentType;
        response.Headers.LastModified = scrape.At.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.AppendCommaSeparatedValues(HeaderNames.Vary, HeaderNames.AcceptEncoding);
        if (!gzip)
        {
            response.ContentLength = scrape.Body.Length;
            await response.Body.WriteAsync(scrape.Body, cancellationToken).ConfigureAwait(false);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        await using var compressed = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await compressed.WriteAsync(scrape.Body, cancellationToken).ConfigureAwait(false);
    }

    private static bool AcceptsGzip(RequestHeaders headers) =>
        headers.AcceptEncoding.Any(e => e.Quality is not 0 && e.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase));

    /// <summary>How long the scraper waits, when it says so and the number makes sense.</summary>
    private static TimeSpan? ScrapeTimeout(HttpRequest request) =>
        double.TryParse(
            request.Headers[TimeoutHeader], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && seconds is >= 0.001 and <= int.MaxValue / 1000
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
