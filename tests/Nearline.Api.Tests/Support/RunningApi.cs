using System.Globalization;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Nearline.Api.Fallbacks;
using Nearline.Api.Hosting;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests.Support;

/// <summary>The service in this process, on real sockets and free ports.</summary>
internal sealed class RunningApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http;

    private RunningApi(WebApplication app, LogCollector log)
    {
        _app = app;
        Log = log;
        var endpoints = app.Services.GetRequiredService<BoundEndpoints>();
        Grpc = endpoints.Grpc;
        Channel = GrpcChannel.ForAddress(Grpc);
        Client = new CandidateService.CandidateServiceClient(Channel);
        _http = new HttpClient { BaseAddress = endpoints.Http };
    }

    public LogCollector Log { get; }

    public Uri Grpc { get; }

    public Uri Http => _http.BaseAddress!;

    public GrpcChannel Channel { get; }

    public CandidateService.CandidateServiceClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts a service. Unless a test says otherwise Redis may take its time: the test machine is busy.</summary>
    public static Task<RunningApi> StartAsync(string redis, params (string Key, object Value)[] settings) =>
        StartAsync(redis, configure: null, settings);

    public static async Task<RunningApi> StartAsync(
        string redis, Action<WebApplicationBuilder>? configure, params (string Key, object Value)[] settings)
    {
        var configuration = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["Redis:ConnectionString"] = redis,
            ["Api:GrpcPort"] = "0",
            ["Api:HttpPort"] = "0",
            ["Api:RedisTimeout"] = "00:00:05",
            // What a test stores is there for its next call; the cache has tests of its own.
            ["Api:CacheTtl"] = "00:00:00",
            ["Api:FallbackRefresh"] = "00:00:00.100",
            ["Api:HealthPeriod"] = "00:00:01",
        };
        foreach (var (key, value) in settings)
        {
            configuration[key] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        }

        var log = new LogCollector();
        var app = ApiHost.Build(
            [.. configuration.Select(setting => $"--{setting.Key}={setting.Value}")],
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.AddProvider(log);
                configure?.Invoke(builder);
            });
        try
        {
            await app.StartAsync();
            return new RunningApi(app, log);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a service and waits until it has its fallback lists.</summary>
    public static Task<RunningApi> StartReadyAsync(string redis, params (string Key, object Value)[] settings) =>
        StartReadyAsync(redis, configure: null, settings);

    public static async Task<RunningApi> StartReadyAsync(
        string redis, Action<WebApplicationBuilder>? configure, params (string Key, object Value)[] settings)
    {
        var api = await StartAsync(redis, configure, settings);
        var lists = api.Services.GetRequiredService<FallbackLists>();
        await Eventually.TrueAsync(() => lists.Current.Scenarios.Count > 0, "fallback lists are loaded");
        return api;
    }

    public Task<GetCandidatesResponse> GetAsync(GetCandidatesRequest request) =>
        Client.GetCandidatesAsync(request).ResponseAsync;

    public Task<string> MetricsAsync() => _http.GetStringAsync(new Uri("/metrics", UriKind.Relative));

    public async Task<(int Status, string Body)> HttpAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The sum of a metric's series whose labels include all those given; 0 when there is none.</summary>
    public async Task<double> MetricAsync(string name, params string[] labels)
    {
        var sum = 0.0;
        foreach (var line in (await MetricsAsync()).Split('\n'))
        {
            // A series is name{labels} value or name value; some writers add a time stamp.
            var end = line.LastIndexOf('}') is >= 0 and var brace ? brace + 1 : line.IndexOf(' ', StringComparison.Ordinal);
            if (end > 0
                && line.AsSpan(0, end).IndexOfAny('{', ' ') is var cut
                && string.Equals(cut < 0 ? line[..end] : line[..cut], name, StringComparison.Ordinal)
                && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
            {
                sum += double.Parse(line[end..].TrimStart().Split(' ')[0], CultureInfo.InvariantCulture);
            }
        }

        return sum;
    }

    /// <summary>Waits until the metric has the value: a scrape may be answered from a short-lived cache.</summary>
    public Task HasMetricAsync(double value, string name, params string[] labels) =>
        Eventually.GetAsync(
            () => MetricAsync(name, labels), seen => seen == value, $"{name}{{{string.Join(',', labels)}}} is {value}");

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        _http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
