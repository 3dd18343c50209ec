using System.Diagnostics.Metrics;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Refresh.V1;

namespace Nearline.Api.Telemetry;

/// <summary>
/// The service's instruments. Labels come from small closed sets (sources, scenarios, reasons), never from user or
/// item ids.
/// </summary>
internal sealed class ApiMetrics : IDisposable
{
    public const string MeterName = "Nearline.Api";

    private static readonly double[] CallSeconds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private static readonly double[] AgeSeconds =
        [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600];

    private static readonly int[] Counts = [0, 1, 5, 10, 25, 50, 100, 200, 300, 500, 1000];

    private static readonly KeyValuePair<string, object?> Hit = new("outcome", "hit");
    private static readonly KeyValuePair<string, object?> Miss = new("outcome", "miss");

    private readonly Meter _meter;
    private readonly Histogram<double> _calls;
    private readonly Histogram<double> _redis;
    private readonly Histogram<double> _age;
    private readonly Histogram<int> _returned;
    private readonly Counter<long> _answers;
    private readonly Counter<long> _degraded;
    private readonly Counter<long> _filtered;
    private readonly Counter<long> _unreadable;
    private readonly Counter<long> _refresh;
    private readonly Counter<long> _shed;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _cache;

    public ApiMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _calls = _meter.CreateHistogram(
            SemanticConventions.RpcServerCallDuration, "s", "Duration of gRPC calls by their own status",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CallSeconds });
        _redis = _meter.CreateHistogram(
            "nearline.api.redis.duration", "s", "Time of reads from Redis",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CallSeconds });
        _age = _meter.CreateHistogram(
            "nearline.api.set.age", "s", "Age of the list when it was read",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = AgeSeconds });
        _returned = _meter.CreateHistogram(
            "nearline.api.candidates.returned", "{candidate}", "Candidates in an answer",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = Counts });
        _answers = _meter.CreateCounter<long>("nearline.api.answers", "{answer}", "Answers by source and scenario");
        _degraded = _meter.CreateCounter<long>(
            "nearline.api.answers.degraded", "{answer}", "Answers given from memory because Redis did not answer");
        _filtered = _meter.CreateCounter<long>(
            "nearline.api.candidates.filtered", "{candidate}", "Candidates left out, by reason");
        _unreadable = _meter.CreateCounter<long>(
            "nearline.api.stored.unreadable", "{value}", "Stored values that could not be decoded and were passed over");
        _refresh = _meter.CreateCounter<long>(
            "nearline.api.refresh.requests", "{request}", "Refresh requests by reason and what became of them");
        _cache = _meter.CreateCounter<long>("nearline.api.cache.lookups", "{lookup}", "Users looked up in the api's own memory");
        _shed = _meter.CreateCounter<long>("nearline.api.requests.shed", "{request}", "Calls refused because of overload");
        _refused = _meter.CreateCounter<long>(
            "nearline.api.requests.refused", "{request}", "Calls and connections refused because of who made them, how often, or how");
    }

    public void Call(string method, string status, bool failed, TimeSpan duration)
    {
        var system = new KeyValuePair<string, object?>(SemanticConventions.RpcSystemName, SemanticConventions.Grpc);
        var name = new KeyValuePair<string, object?>(SemanticConventions.RpcMethod, method);
        var code = new KeyValuePair<string, object?>(SemanticConventions.RpcResponseStatusCode, status);
        if (failed)
        {
            _calls.Record(
                duration.TotalSeconds, [system, name, code, new(SemanticConventions.ErrorType, status)]);
        }
        else
        {
            _calls.Record(duration.TotalSeconds, system, name, code);
        }
    }

    public void RedisRead(string operation, string outcome, TimeSpan duration) =>
        _redis.Record(duration.TotalSeconds, new("operation", operation), new("outcome", outcome));

    public void Answer(CandidateSource source, string scenario, int candidates, TimeSpan? age, bool degraded)
    {
        var from = new KeyValuePair<string, object?>("source", NameOf(source));
        var where = new KeyValuePair<string, object?>("scenario", scenario);
        _answers.Add(1, from, where);
        _returned.Record(candidates, from, where);
        if (age is { } value)
        {
            _age.Record(value.TotalSeconds, from);
        }

        if (degraded)
        {
            _degraded.Add(1, from, where);
        }
    }

    public void Filtered(int watched, int excluded, int category)
    {
        Add("watched", watched);
        Add("excluded", excluded);
        Add("category", category);

        void Add(string reason, int count)
        {
            if (count > 0)
            {
                _filtered.Add(count, new KeyValuePair<string, object?>("reason", reason));
            }
        }
    }

    public void Cache(bool hit) => _cache.Add(1, hit ? Hit : Miss);

    public void Unreadable(string kind) => _unreadable.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Refresh(RefreshReason reason, string outcome) =>
        _refresh.Add(1, new("reason", reason == RefreshReason.Miss ? "miss" : "stale"), new("outcome", outcome));

    public void Shed(string kind, int count = 1) => _shed.Add(count, new KeyValuePair<string, object?>("kind", kind));

    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void ObserveCertificate(Func<long> notAfter) =>
        _meter.CreateObservableGauge(
            "nearline.api.tls.certificate.expiry", notAfter, "s", "Unix time at which the server's certificate ends to be valid");

    public void ObserveInFlight(Func<int> count) =>
        _meter.CreateObservableUpDownCounter("nearline.api.requests.in_flight", count, "{request}", "Calls being answered");

    public void ObserveStreams(Func<int> count) =>
        _meter.CreateObservableUpDownCounter("nearline.api.watch.streams", count, "{stream}", "Open WatchCandidates streams");

    public void ObserveBreaker(Func<int> state) =>
        _meter.CreateObservableGauge(
            "nearline.api.redis.breaker.state", state, "{state}", "0 closed, 1 open, 2 half open, 3 isolated");

    public void ObserveSubscriptions(Func<int> count) =>
        _meter.CreateObservableGauge(
            "nearline.api.watch.subscriptions", count, "{subscription}", "Redis channels subscribed to for streams");

    public void Dispose() => _meter.Dispose();

    private static string NameOf(CandidateSource source) => source switch
    {
        CandidateSource.Personalized => "personalized",
        CandidateSource.Stale => "stale",
        CandidateSource.ScenarioFallback => "scenario_fallback",
        CandidateSource.GlobalFallback => "global_fallback",
        _ => "unspecified",
    };
}
