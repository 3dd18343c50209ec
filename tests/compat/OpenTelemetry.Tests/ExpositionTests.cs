using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Nearline.Compat.Telemetry.Tests;

public sealed partial class ExpositionTests
{
    [GeneratedRegex("(?<series>_created{[^}]*}) [0-9.]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CreatedTime();

    private static async Task<ScrapeApp> ManyKindsAsync()
    {
        var app = new ScrapeApp();
        var meter = app.Meter("Nearline.Test", "2.1");
        await app.StartAsync(
            o => o.ScopeInfoEnabled = true,
            resource: r => r.AddAttributes([new("service.name", "worker"), new("host", "a\"b")]));
        meter.CreateCounter<long>("events", "{event}", "Events \\ seen\nso far \"all\"").Add(3, new("kind", "watch"), new("ok", true));
        meter.CreateUpDownCounter<long>("users", null, "Users").Add(-2);
        meter.CreateObservableCounter("read", () => 7.5, "By", "Bytes read");
        meter.CreateObservableUpDownCounter("queue", () => 4, null, "Queue");
        meter.CreateObservableGauge("temperature", () => double.NaN, "Cel", "Heat");
        var histogram = meter.CreateHistogram(
            "latency", "s", "Latency", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 1, 2.5] });
        histogram.Record(0.004);
        histogram.Record(1);
        histogram.Record(3);
        return app;
    }

    [Fact]
    public async Task Every_instrument_is_written_in_the_text_format()
    {
        await using var app = await ManyKindsAsync();
        const string Scope = "otel_scope_name=\"Nearline.Test\",otel_scope_version=\"2.1\"";
        Assert.Equal(
            $$"""
            # TYPE target_info gauge
            # HELP target_info Target metadata
            target_info{service_name="worker",host="a\"b"} 1
            # TYPE events_total counter
            # HELP events_total Events \\ seen\nso far "all"
            events_total{{{Scope}},kind="watch",ok="true"} 3
            # TYPE latency_seconds histogram
            # HELP latency_seconds Latency
            latency_seconds_bucket{{{Scope}},le="0.005"} 1
            latency_seconds_bucket{{{Scope}},le="1"} 2
            latency_seconds_bucket{{{Scope}},le="2.5"} 2
            latency_seconds_bucket{{{Scope}},le="+Inf"} 3
            latency_seconds_sum{{{Scope}}} 4.004
            latency_seconds_count{{{Scope}}} 3
            # TYPE queue gauge
            # HELP queue Queue
            queue{{{Scope}}} 4
            # TYPE read_bytes_total counter
            # HELP read_bytes_total Bytes read
            read_bytes_total{{{Scope}}} 7.5
            # TYPE temperature_celsius gauge
            # HELP temperature_celsius Heat
            temperature_celsius{{{Scope}}} NaN
            # TYPE users gauge
            # HELP users Users
            users{{{Scope}}} -2

            """,
            await app.TextAsync());
    }

    [Fact]
    public async Task Every_instrument_is_written_in_OpenMetrics()
    {
        await using var app = await ManyKindsAsync();
        var text = CreatedTime().Replace(await app.TextAsync(ScrapeApp.OpenMetrics), "${series} T")
            .Replace("otel_scope_name=\"Nearline.Test\",otel_scope_version=\"2.1\"", "S", StringComparison.Ordinal);
        Assert.Equal(
            """
            # TYPE target info
            # HELP target Target metadata
            target_info{service_name="worker",host="a\"b"} 1
            # TYPE events counter
            # HELP events Events \\ seen\nso far \"all\"
            events_total{S,kind="watch",ok="true"} 3
            events_created{S,kind="watch",ok="true"} T
            # TYPE latency_seconds histogram
            # UNIT latency_seconds seconds
            # HELP latency_seconds Latency
            latency_seconds_bucket{S,le="0.005"} 1
            latency_seconds_bucket{S,le="1.0"} 2
            latency_seconds_bucket{S,le="2.5"} 2
            latency_seconds_bucket{S,le="+Inf"} 3
            latency_seconds_sum{S} 4.004
            latency_seconds_count{S} 3
            latency_seconds_created{S} T
            # TYPE queue gauge
            # HELP queue Queue
            queue{S} 4
            # TYPE read_bytes counter
            # UNIT read_bytes bytes
            # HELP read_bytes Bytes read
            read_bytes_total{S} 7.5
            read_bytes_created{S} T
            # TYPE temperature_celsius gauge
            # UNIT temperature_celsius celsius
            # HELP temperature_celsius Heat
            temperature_celsius{S} NaN
            # TYPE users gauge
            # HELP users Users
            users{S} -2
            # EOF

            """,
            text);
    }

    [Fact]
    public async Task One_name_in_two_meters_is_one_family()
    {
        await using var app = new ScrapeApp();
        var (second, first) = (app.Meter("family.b"), app.Meter("family.a"));
        await app.StartAsync(o => o.ScopeInfoEnabled = true);
        second.CreateCounter<long>("sent", "By").Add(2);
        first.CreateCounter<long>("sent", "By", "Sent bytes").Add(1);
        Assert.Equal(
            """
            # TYPE sent_bytes_total counter
            # HELP sent_bytes_total Sent bytes
            sent_bytes_total{otel_scope_name="family.a"} 1
            sent_bytes_total{otel_scope_name="family.b"} 2

            """,
            await app.TextAsync());
    }

    [Fact]
    public async Task One_name_with_two_types_is_left_out_and_the_rest_stays()
    {
        await using var app = new ScrapeApp();
        var (one, two) = (app.Meter(), app.Meter());
        await app.StartAsync();
        one.CreateGauge<long>("thing_total").Record(1);
        two.CreateCounter<long>("thing").Add(1);
        two.CreateCounter<long>("other").Add(5);
        Assert.Equal("# TYPE other_total counter\nother_total{} 5\n", await app.TextAsync());
    }

    [Fact]
    public async Task Exponential_histograms_are_left_out()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(metrics: b => b.AddView("spread", new Base2ExponentialBucketHistogramConfiguration()));
        meter.CreateHistogram<double>("spread").Record(1);
        meter.CreateCounter<long>("other").Add(5);
        Assert.Equal("# TYPE other_total counter\nother_total{} 5\n", await app.TextAsync());
    }

    [Fact]
    public async Task Resource_attributes_become_labels_where_chosen_and_target_info_can_be_left_out()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(
            o =>
            {
                o.TargetInfoEnabled = false;
                o.ResourceConstantLabels = key => key == "service.name";
            },
            resource: r => r.AddAttributes([new("service.name", "api"), new("host.name", "h")]));
        meter.CreateCounter<long>("events").Add(1, new KeyValuePair<string, object?>("kind", "like"));
        Assert.Equal("# TYPE events_total counter\nevents_total{kind=\"like\",service_name=\"api\"} 1\n", await app.TextAsync());
    }

    [Fact]
    public async Task Labels_that_become_one_are_joined_and_a_histogram_keeps_its_le()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateGauge<long>("g").Record(1, new("a_b", "2"), new("a.b", "1"), new("9", "n"), new("", "empty"));
        meter.CreateHistogram("h", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1] })
            .Record(0.5, new KeyValuePair<string, object?>("le", "mine"));
        Assert.Equal(
            """
            # TYPE g gauge
            g{_="empty",_9="n",a_b="1;2"} 1
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="+Inf"} 1
            h_sum{} 0.5
            h_count{} 1

            """,
            await app.TextAsync());
    }

    [Fact]
    public async Task Negative_buckets_have_no_sum_in_OpenMetrics()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateHistogram("h", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [-1, 1] }).Record(0);
        Assert.DoesNotContain("_sum", await app.TextAsync(ScrapeApp.OpenMetrics), StringComparison.Ordinal);
        Assert.Contains("h_sum{} 0\n", await app.TextAsync(), StringComparison.Ordinal);
    }
}
