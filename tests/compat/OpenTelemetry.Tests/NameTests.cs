using System.Diagnostics.Metrics;

namespace Nearline.Compat.Telemetry.Tests;

/// <summary>Names by the rules of the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility".</summary>
public sealed class NameTests
{
    private static void Record(Meter meter, string kind, string name, string? unit)
    {
        switch (kind)
        {
            case "counter":
                meter.CreateCounter<long>(name, unit).Add(1);
                break;
            case "histogram":
                meter.CreateHistogram<double>(name, unit).Record(1);
                break;
            default:
                meter.CreateGauge<double>(name, unit).Record(1);
                break;
        }
    }

    [Theory]
    [InlineData("gauge", "nearline.set.age", "s", "nearline_set_age_seconds", "nearline_set_age_seconds")]
    [InlineData("gauge", "set_age_seconds", "s", "set_age_seconds", "set_age_seconds")]
    [InlineData("gauge", "ratio", "1", "ratio", "ratio")]
    [InlineData("gauge", "load", "%", "load_percent", "load_percent")]
    [InlineData("gauge", "queue", "{event}", "queue", "queue")]
    [InlineData("gauge", "rate", "{event}/s", "rate_per_second", "rate_per_second")]
    [InlineData("gauge", "flow", "By/s", "flow_bytes_per_second", "flow_bytes_per_second")]
    [InlineData("gauge", "flow", "KiBy/min", "flow_kibibytes_per_min", "flow_kibibytes_per_min")]
    [InlineData("gauge", "cost", "# RU", "cost_RU", "cost_RU")]
    [InlineData("gauge", "a-b//c", null, "a_b_c", "a_b_c")]
    [InlineData("gauge", "heat", "Cel", "heat_celsius", "heat_celsius")]
    [InlineData("counter", "events", null, "events_total", "events")]
    [InlineData("counter", "events_total", null, "events_total", "events")]
    [InlineData("counter", "sent", "By", "sent_bytes_total", "sent_bytes")]
    [InlineData("counter", "sent_bytes_total", "By", "sent_bytes_total", "sent_bytes")]
    [InlineData("counter", "retries", "1", "retries_total", "retries")]
    [InlineData("histogram", "rpc.server.call.duration", "s", "rpc_server_call_duration_seconds", "rpc_server_call_duration_seconds")]
    [InlineData("histogram", "pause", "ms", "pause_milliseconds", "pause_milliseconds")]
    public async Task A_name_follows_its_unit_and_type(
        string kind, string name, string? unit, string text, string openMetrics)
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        Record(meter, kind, name, unit);

        var inText = Exposition.Parse(await app.TextAsync(), openMetrics: false);
        Assert.Equal([(text, kind)], inText.Types.Select(t => (t.Key, t.Value)));
        Assert.All(inText.Samples, s => Assert.StartsWith(text, s.Name, StringComparison.Ordinal));
        Assert.Empty(inText.Units);

        var inOpenMetrics = Exposition.Parse(await app.TextAsync(ScrapeApp.OpenMetrics), openMetrics: true);
        Assert.Equal([(openMetrics, kind)], inOpenMetrics.Types.Select(t => (t.Key, t.Value)));
        if (kind == "counter")
        {
            Assert.Equal([openMetrics + "_total", openMetrics + "_created"], inOpenMetrics.Samples.Select(s => s.Name));
        }
    }

    [Fact]
    public async Task Total_can_be_left_out_of_the_text_format_only()
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync(o => o.DisableTotalNameSuffixForCounters = true);
        meter.CreateCounter<long>("events").Add(3);
        Assert.Equal("events", Exposition.Parse(await app.TextAsync(), false).Samples.Single().Name);
        Assert.Contains("events_total{} 3\n", await app.TextAsync(ScrapeApp.OpenMetrics), StringComparison.Ordinal);
    }
}
