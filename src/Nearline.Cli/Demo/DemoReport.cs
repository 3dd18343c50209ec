using System.Text.Json.Serialization;

namespace Nearline.Cli.Demo;

/// <summary>The demo's last line.</summary>
internal sealed record DemoReport(
    [property: JsonPropertyName("demo")] string Demo,
    [property: JsonPropertyName("users")] int Users,
    [property: JsonPropertyName("events")] int Events,
    [property: JsonPropertyName("event_to_servable_ms_p50")] double EventToServableP50,
    [property: JsonPropertyName("event_to_servable_ms_p99")] double EventToServableP99,
    [property: JsonPropertyName("hr20")] double Hr20,
    [property: JsonPropertyName("popularity_hr20")] double PopularityHr20,
    [property: JsonPropertyName("hr100")] double Hr100,
    [property: JsonPropertyName("popularity_hr100")] double PopularityHr100,
    [property: JsonPropertyName("served_hr20")] double ServedHr20,
    [property: JsonPropertyName("get_ms_p50")] double GetP50,
    [property: JsonPropertyName("get_ms_p99")] double GetP99);
