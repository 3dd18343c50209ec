using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Nearline.LocalServers;
using Nearline.LocalServers.Processes;
using OpenTelemetry.Resources;

namespace Nearline.Compat.Telemetry.Tests;

/// <summary>The judge is Prometheus itself: its linter and a running server (Debian package prometheus).</summary>
public sealed class PrometheusTests
{
    private const string Awkward = "q\" b\\ n\n \u00e9 \U0001f600 {}=,#";
    private static readonly double[] Bounds = [0.1, 0.2, 0.4, 0.8];
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static async Task<ScrapeApp> AppAsync()
    {
        var app = new ScrapeApp();
        var meter = app.Meter("Nearline.Judged", "1.0");
        await app.StartAsync(
            o => o.ScopeInfoEnabled = true,
            resource: r => r.AddAttributes([new("service.name", "judged")]),
            map: a =>
            {
                a.MapPrometheusScrapingEndpoint();
                // The server asks for OpenMetrics; without the header it is given the older text format.
                a.UseOpenTelemetryPrometheusScrapingEndpoint(null!, null!, "/metrics-text", branch => branch.Use((context, next) =>
                {
                    context.Request.Headers.Accept = default;
                    return next(context);
                }), null!);
            });
        meter.CreateCounter<long>("events", "{event}", "Events \"seen\"").Add(42, new KeyValuePair<string, object?>("text", Awkward));
        meter.CreateUpDownCounter<long>("users", null, "Users").Add(-3);
        meter.CreateObservableGauge("depth", () => 0.1 + 0.2, null, "Depth");
        var latency = meter.CreateHistogram(
            "latency", "s", "Latency", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
        foreach (var value in new[] { 0.05, 0.15, 0.15, 0.3, 0.3, 0.3, 0.7, 0.7 })
        {
            latency.Record(value);
        }

        return app;
    }

    [Theory]
    [InlineData("/metrics-text")]
    public async Task Promtool_accepts_the_text(string path)
    {
        await using var app = await AppAsync();
        var text = await app.TextAsync(path: path);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, text);
            await using var promtool = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = "sh",
                Arguments = ["-c", "exec promtool check metrics < \"$1\"", "sh", file],
            });
            var code = await promtool.WaitForExitAsync().WaitAsync(Long);
            Assert.True(code == 0, string.Join('\n', promtool.LastLines));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_real_server_scrapes_both_formats_and_answers_with_the_right_values()
    {
        await using var app = await AppAsync();
        var directory = Directory.CreateTempSubdirectory("nearline-prometheus-");
        try
        {
            var target = app.Address.Authority;
            var config = Path.Combine(directory.FullName, "prometheus.yml");
            await File.WriteAllTextAsync(config, $"""
                global:
                  scrape_interval: 200ms
                  scrape_timeout: 200ms
                scrape_configs:
                  - job_name: open
                    static_configs: [targets: ["{target}"]]
                  - job_name: text
                    metrics_path: /metrics-text
                    static_configs: [targets: ["{target}"]]
                """);
            var port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
            await using var prometheus = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = "prometheus",
                Arguments =
                [
                    "--config.file=" + config,
                    "--storage.tsdb.path=" + Path.Combine(directory.FullName, "data"),
                    "--web.listen-address=127.0.0.1:" + port,
                    "--log.level=warn",
                ],
            });
            using var http = new HttpClient { BaseAddress = new Uri("http://127.0.0.1:" + port) };
            await UntilUpAsync(http, prometheus);

            foreach (var job in new[] { "open", "text" })
            {
                var events = await OneAsync(http, $"events_total{{job=\"{job}\"}}");
                Assert.Equal(42, events.Value);
                Assert.Equal(Awkward, events.Labels["text"]);
                Assert.Equal("Nearline.Judged", events.Labels["otel_scope_name"]);
                Assert.Equal("1.0", events.Labels["otel_scope_version"]);
                Assert.Equal(-3, (await OneAsync(http, $"users{{job=\"{job}\"}}")).Value);
                Assert.Equal(0.1 + 0.2, (await OneAsync(http, $"depth{{job=\"{job}\"}}")).Value);
                Assert.Equal("judged", (await OneAsync(http, $"target_info{{job=\"{job}\"}}")).Labels["service_name"]);
                Assert.Equal(8, (await OneAsync(http, $"latency_seconds_count{{job=\"{job}\"}}")).Value);
                Assert.Equal(2.65, (await OneAsync(http, $"latency_seconds_sum{{job=\"{job}\"}}")).Value, 1e-9);
                foreach (var q in new[] { 0.25, 0.5, 0.9 })
                {
                    var quantile = string.Create(
                        CultureInfo.InvariantCulture, $"histogram_quantile({q}, latency_seconds_bucket{{job=\"{job}\"}})");
                    Assert.Equal(Quantile(q, [1, 3, 6, 8, 8]), (await OneAsync(http, quantile)).Value, 1e-9);
                }
            }

            // The type travels with the metadata, whose names differ by format.
            var metadata = await http.GetStringAsync("/api/v1/metadata");
            Assert.Contains("\"latency_seconds\":[{\"type\":\"histogram\"", metadata, StringComparison.Ordinal);
            Assert.Contains("\"users\":[{\"type\":\"gauge\"", metadata, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>What histogram_quantile is documented to do: linear interpolation in the bucket of the rank.</summary>
    private static double Quantile(double q, int[] cumulative)
    {
        var rank = q * cumulative[^1];
        var bucket = Array.FindIndex(cumulative, c => c >= rank);
        var below = bucket == 0 ? 0 : cumulative[bucket - 1];
        var lower = bucket == 0 ? 0 : Bounds[bucket - 1];
        return lower + ((Bounds[bucket] - lower) * (rank - below) / (cumulative[bucket] - below));
    }

    private static async Task UntilUpAsync(HttpClient http, ChildProcess prometheus)
    {
        using var deadline = new CancellationTokenSource(Long);
        while (true)
        {
            try
            {
                var up = await QueryAsync(http, "up == 1 and on(job) (scrape_samples_scraped > 10)", deadline.Token);
                if (up.Count == 2)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                if (prometheus.HasExited)
                {
                    throw await prometheus.UnexpectedExitAsync();
                }
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    private static async Task<(Dictionary<string, string> Labels, double Value)> OneAsync(HttpClient http, string query) =>
        Assert.Single(await QueryAsync(http, query, CancellationToken.None));

    private static async Task<List<(Dictionary<string, string> Labels, double Value)>> QueryAsync(
        HttpClient http, string query, CancellationToken cancellationToken)
    {
        var json = await http.GetStringAsync("/api/v1/query?query=" + Uri.EscapeDataString(query), cancellationToken);
        using var document = JsonDocument.Parse(json);
        return
        [
            .. document.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(r => (
                r.GetProperty("metric").EnumerateObject().ToDictionary(l => l.Name, l => l.Value.GetString()!),
                double.Parse(r.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture))),
        ];
    }
}
