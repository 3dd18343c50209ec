using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace Nearline.Compat.Telemetry.Tests;

public sealed class EndpointTests
{
    private const string Text = "text/plain; version=0.0.4; charset=utf-8";
    private const string Text1 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores";
    private const string Open = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    private const string Open0 = "application/openmetrics-text; version=0.0.1; charset=utf-8";

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(null, Text)]
    [InlineData("*/*", Text)]
    [InlineData("application/json", Text)]
    [InlineData("text/plain", Text)]
    [InlineData("text/plain;version=1.0.0", Text1)]
    [InlineData("application/openmetrics-text", Open)]
    [InlineData("APPLICATION/OpenMetrics-Text; Version=\"0.0.1\"", Open0)]
    [InlineData("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", Open)]
    [InlineData("application/openmetrics-text;version=9.0.0", Text)]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Open)]
    [InlineData("text/plain;q=0.3, application/openmetrics-text;q=0.9", Open)]
    [InlineData("text/plain, application/openmetrics-text", Text)]
    [InlineData("application/openmetrics-text;q=0, text/plain;q=0.1", Text)]
    public async Task The_format_follows_the_accept_header(string? accept, string contentType)
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateCounter<long>("events").Add(1);
        using var response = await app.GetAsync(accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(contentType, response.Content.Headers.ContentType!.ToString());
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal(contentType.StartsWith("app", StringComparison.Ordinal), body.EndsWith("# EOF\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_response_is_served_again_while_it_is_fresh_in_each_format()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(o => o.ScrapeResponseCacheDurationMilliseconds = 3_600_000);
        var counter = meter.CreateCounter<long>("events");
        counter.Add(1);
        Assert.Contains("events_total{} 1\n", await app.TextAsync(), StringComparison.Ordinal);
        counter.Add(1);
        Assert.Contains("events_total{} 1\n", await app.TextAsync(), StringComparison.Ordinal);
        Assert.Contains("events_total{} 2\n", await app.TextAsync(ScrapeApp.OpenMetrics), StringComparison.Ordinal);
        Assert.Contains("events_total{} 1\n", await app.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_cache_each_scrape_sees_the_present()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        var counter = meter.CreateCounter<long>("events");
        for (var i = 1; i <= 5; i++)
        {
            counter.Add(1);
            Assert.Contains($"events_total{{}} {i}\n", await app.TextAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Scrapes_that_come_together_share_a_collection()
    {
        const int Scrapes = 12;
        var arrived = 0;
        var collections = 0;
        using var gate = new ManualResetEventSlim();
        await using var app = new ScrapeApp();
        app.Meter().CreateObservableGauge("g", () =>
        {
            Interlocked.Increment(ref collections);
            Assert.True(gate.Wait(Long));
            return 1;
        });
        await app.StartAsync(map: a =>
        {
            a.Use((context, next) =>
            {
                Interlocked.Increment(ref arrived);
                return next(context);
            });
            a.UseOpenTelemetryPrometheusScrapingEndpoint();
        });

        var scrapes = Enumerable.Range(0, Scrapes)
            .Select(i => app.TextAsync(i % 2 == 0 ? null : ScrapeApp.OpenMetrics)).ToArray();
        using (var deadline = new CancellationTokenSource(Long))
        {
            while (Volatile.Read(ref arrived) < Scrapes || Volatile.Read(ref collections) == 0)
            {
                await Task.Delay(5, deadline.Token);
            }
        }

        gate.Set();
        var bodies = await Task.WhenAll(scrapes).WaitAsync(Long);
        Assert.All(bodies, b => Assert.Contains("g{} 1\n", b, StringComparison.Ordinal));
        // A request may be counted as arrived a moment before it joins: it may then cause one collection more.
        Assert.InRange(collections, 1, 2);
    }

    [Fact]
    public async Task Many_scrapes_while_counting_are_each_whole_and_never_go_back()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        var counter = meter.CreateCounter<long>("events");
        using var stop = new CancellationTokenSource();
        var counting = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                counter.Add(1, new KeyValuePair<string, object?>("kind", "a"));
                Thread.Yield();
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            var last = 0.0;
            for (var i = 0; i < 25; i++)
            {
                var open = (worker + i) % 2 == 0;
                var parsed = Exposition.Parse(await app.TextAsync(open ? ScrapeApp.OpenMetrics : null), open);
                var value = parsed.Samples.FirstOrDefault(s => s.Name == "events_total")?.Value ?? 0;
                Assert.True(value >= last, $"{value} after {last}");
                last = value;
            }
        })).WaitAsync(Long);
        await stop.CancelAsync();
        await counting;
    }

    [Fact]
    public async Task A_scrape_that_takes_too_long_is_a_timeout()
    {
        using var gate = new ManualResetEventSlim();
        await using var app = new ScrapeApp();
        app.Meter().CreateObservableGauge("g", () =>
        {
            gate.Wait(Long);
            return 1;
        });
        await app.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("X-Prometheus-Scrape-Timeout-Seconds", "0.2");
        using var opener = new Timer(_ => gate.Set(), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        using var response = await app.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestTimeout, response.StatusCode);
        gate.Set();
        Assert.Contains("g{} 1\n", await app.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_response_past_the_limit_is_an_error()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(o => o.MaxScrapeResponseSizeBytes = 85_000);
        var gauge = meter.CreateGauge<long>("g");
        gauge.Record(1, new KeyValuePair<string, object?>("v", new string('x', 84_000)));
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync()).StatusCode);
        gauge.Record(1, new KeyValuePair<string, object?>("v", new string('y', 2_000)));
        Assert.Equal(HttpStatusCode.InternalServerError, (await app.GetAsync()).StatusCode);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        var options = new PrometheusAspNetCoreOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.ScrapeResponseCacheDurationMilliseconds = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxScrapeResponseSizeBytes = 84_999);
    }

    [Fact]
    public async Task Gzip_is_used_where_accepted()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateCounter<long>("events").Add(1);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("Accept-Encoding", "gzip");
        using var response = await app.Http.SendAsync(request);
        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], response.Headers.Vary);
        await using var unpacked = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked, Encoding.UTF8);
        Assert.Equal(await app.TextAsync(), await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task The_endpoint_can_be_placed_by_path_option_or_predicate()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(
            o => o.ScrapeEndpointPath = "from/options",
            map: a =>
            {
                a.UseOpenTelemetryPrometheusScrapingEndpoint(c => c.Request.Query.ContainsKey("scrape"));
                a.UseOpenTelemetryPrometheusScrapingEndpoint("/used");
                a.UseOpenTelemetryPrometheusScrapingEndpoint();
                a.MapPrometheusScrapingEndpoint("/mapped");
            });
        meter.CreateCounter<long>("events").Add(1);
        foreach (var path in new[] { "/anything?scrape", "/used", "/from/options", "/mapped" })
        {
            Assert.Contains("events_total{} 1\n", await app.TextAsync(path: path), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await app.GetAsync()).StatusCode);
    }

    [Fact]
    public async Task A_provider_without_the_exporter_is_an_error_at_start()
    {
        using var provider = Sdk.CreateMeterProviderBuilder().Build();
        await using var app = new ScrapeApp();
        await Assert.ThrowsAsync<ArgumentException>(() => app.StartAsync(
            map: a => a.MapPrometheusScrapingEndpoint("/metrics", provider, null!, null!)));
    }

    [Fact]
    public async Task Two_exporters_in_one_process_serve_their_own_provider()
    {
        await using var one = new ScrapeApp();
        await using var two = new ScrapeApp();
        one.Meter().CreateObservableGauge("of_one", () => 1);
        two.Meter().CreateObservableGauge("of_two", () => 2);
        await one.StartAsync();
        await two.StartAsync();
        Assert.Equal("# TYPE of_one gauge\nof_one{} 1\n", await one.TextAsync());
        Assert.Equal("# TYPE of_two gauge\nof_two{} 2\n", await two.TextAsync());
    }

    [Fact]
    public async Task A_disabled_SDK_serves_nothing()
    {
        await using var app = new ScrapeApp();
        app.Meter().CreateObservableGauge("g", () => 1);
        await app.StartAsync(configure: b => b.Configuration["OTEL_SDK_DISABLED"] = "true");
        Assert.Equal("", await app.TextAsync());
    }
}
