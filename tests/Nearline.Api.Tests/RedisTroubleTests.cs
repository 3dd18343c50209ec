using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.Api.Tests;

/// <summary>Each test has a Redis of its own to mistreat.</summary>
[Collection(RedisCollection.Name)]
public sealed class RedisTroubleTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private Seeder Seed => new(_connection.GetDatabase());

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(_redis.Address + ",abortConnect=false,allowAdmin=true");
    }

    public async Task DisposeAsync()
    {
        _connection.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_dead_Redis_is_answered_for_from_memory_and_recovers()
    {
        await Seed.FallbacksAsync();
        await Seed.SetAsync("u", Seeder.Home, Seeder.Set(5));
        await using var api = await RunningApi.StartReadyAsync(_redis.Address, ("Api:RedisTimeout", "00:00:00.500"));
        Assert.Equal(CandidateSource.Personalized, (await api.GetAsync(Request())).Source);
        Assert.Equal(200, (await api.HttpAsync("/healthz/ready")).Status);

        await _redis.KillAsync();
        var clock = Stopwatch.StartNew();
        var (answer, trailers) = await GetWithTrailersAsync(api);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"the first answer took {clock.Elapsed}");
        Assert.Equal(CandidateSource.ScenarioFallback, answer.Source);
        Assert.Equal(["home-0", "home-2"], answer.Candidates.Select(c => c.ItemId));
        Assert.Equal("redis", trailers.GetValue("nl-degraded"));

        // The circuit opens after some failures; from then on Redis is not even asked.
        await Eventually.TrueAsync(
            async () =>
            {
                await GetWithTrailersAsync(api);
                return await api.MetricAsync("nearline_api_redis_duration_seconds_count", "outcome=\"open\"") > 0;
            },
            "the circuit opens");
        Assert.NotEqual(0, await api.MetricAsync("nearline_api_answers_degraded_total", "scenario=\"home\""));
        await Eventually.GetAsync(
            () => api.HttpAsync("/healthz/ready"),
            health => health.Status == 200 && health.Body.Contains("\"redis\":{\"status\":\"Degraded\"", StringComparison.Ordinal),
            "still ready, without Redis");
        var grpc = await new Grpc.Health.V1.Health.HealthClient(api.Channel).CheckAsync(new());
        Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving, grpc.Status);
        Assert.Equal(200, (await api.HttpAsync("/healthz/live")).Status);

        await _redis.RestartAsync();
        await ReconnectAsync();
        await Seed.FallbacksAsync();
        await Seed.SetAsync("u", Seeder.Home, Seeder.Set(5));
        await Eventually.GetAsync(
            async () => (await GetWithTrailersAsync(api)).Response.Source,
            source => source == CandidateSource.Personalized,
            "the user's own set is served again");
        await Eventually.GetAsync(
            () => api.HttpAsync("/healthz/ready"),
            health => health.Body.Contains("\"redis\":{\"status\":\"Healthy\"", StringComparison.Ordinal),
            "Redis is well again");
    }

    [Fact]
    public async Task Without_a_list_in_memory_the_answer_is_UNAVAILABLE()
    {
        var address = _redis.Address;
        await _redis.KillAsync();
        await using var api = await RunningApi.StartAsync(
            address, ("Redis:ConnectTimeout", "00:00:00.200"), ("Api:RedisTimeout", "00:00:00.200"));

        var status = await Rpc.FailureAsync(() => api.GetAsync(Request()));
        Assert.Equal(StatusCode.Unavailable, status.StatusCode);
        Assert.Contains("Redis", status.Detail, StringComparison.Ordinal);
        Assert.Contains("scenario 'home'", status.Detail, StringComparison.Ordinal);

        var several = await api.Client.MultiGetCandidatesAsync(new() { Requests = { Request() } });
        Assert.Equal((int)StatusCode.Unavailable, several.Results[0].StatusCode);
        var explain = await Rpc.FailureAsync(() =>
            api.Client.ExplainCandidateAsync(new() { UserId = "u", Scenario = "home", ItemId = "x" }).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, explain.StatusCode);
        var scenarios = await Rpc.FailureAsync(() => api.Client.ListScenariosAsync(new()).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, scenarios.StatusCode);
        Assert.Equal(503, (await api.HttpAsync("/healthz/ready")).Status);
    }

    [Fact]
    public async Task A_slow_Redis_costs_no_more_than_the_time_limit()
    {
        await Seed.FallbacksAsync();
        await using var api = await RunningApi.StartReadyAsync(_redis.Address, ("Api:RedisTimeout", "00:00:00.100"));
        await api.GetAsync(Request());
        await SignalAsync("STOP");

        var clock = Stopwatch.StartNew();
        var (answer, trailers) = await GetWithTrailersAsync(api);

        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(90), TimeSpan.FromSeconds(5));
        Assert.Equal(CandidateSource.ScenarioFallback, answer.Source);
        Assert.Equal("redis", trailers.GetValue("nl-degraded"));
        Assert.NotEqual(0, await api.MetricAsync("nearline_api_redis_duration_seconds_count", "outcome=\"timeout\""));
    }

    [Fact]
    public async Task Work_ends_at_the_deadline()
    {
        await Seed.FallbacksAsync();
        await using var api = await RunningApi.StartReadyAsync(_redis.Address, ("Api:RedisTimeout", "00:00:10"));
        await SignalAsync("STOP");

        var clock = Stopwatch.StartNew();
        var status = await Rpc.FailureAsync(() =>
            api.Client.GetCandidatesAsync(Request(), deadline: DateTime.UtcNow.AddMilliseconds(300)).ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, status.StatusCode);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"it took {clock.Elapsed}");
        await api.HasMetricAsync(
            1,
            "rpc_server_call_duration_seconds_count",
            "rpc_method=\"nearline.candidates.v1.CandidateService/GetCandidates\"",
            "rpc_response_status_code=\"DEADLINE_EXCEEDED\"");
        await api.HasMetricAsync(0, "nearline_api_requests_in_flight");
    }

    [Fact]
    public async Task Calls_past_the_limit_are_refused_at_once()
    {
        await Seed.FallbacksAsync();
        await using var api = await RunningApi.StartReadyAsync(
            _redis.Address, ("Api:RedisTimeout", "00:00:10"), ("Api:MaxConcurrentRequests", 3), ("Api:MaxWatchStreams", 1));
        using var stream = api.Client.WatchCandidates(new() { Request = Request() });
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
        await SignalAsync("STOP");
        var waiting = Enumerable.Range(0, 3).Select(_ => api.GetAsync(Request())).ToArray();
        await api.HasMetricAsync(3, "nearline_api_requests_in_flight");

        var call = await Rpc.FailureAsync(() => api.GetAsync(Request()));
        using var second = api.Client.WatchCandidates(new() { Request = Request() });
        var watch = await Rpc.FailureAsync(() => second.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.ResourceExhausted, call.StatusCode);
        Assert.Contains("3 requests in flight, as many as Api:MaxConcurrentRequests allows", call.Detail, StringComparison.Ordinal);
        Assert.Equal(StatusCode.ResourceExhausted, watch.StatusCode);
        await api.HasMetricAsync(1, "nearline_api_requests_shed_total", "kind=\"call\"");
        await api.HasMetricAsync(1, "nearline_api_requests_shed_total", "kind=\"stream\"");

        await SignalAsync("CONT");
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(CandidateSource.ScenarioFallback, answer.Source));
        Assert.Equal(CandidateSource.ScenarioFallback, (await api.GetAsync(Request())).Source);
    }

    [Fact]
    public async Task Calls_in_flight_are_answered_before_the_service_ends()
    {
        await Seed.FallbacksAsync();
        await using var api = await RunningApi.StartReadyAsync(_redis.Address, ("Api:RedisTimeout", "00:00:10"));
        await SignalAsync("STOP");
        var waiting = api.GetAsync(Request());
        await api.HasMetricAsync(1, "nearline_api_requests_in_flight");

        var stopped = api.StopAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                // Once it stops accepting, a new connection is refused.
                using var http = new HttpClient();
                return await Record.ExceptionAsync(() => http.GetAsync(new Uri(api.Http, "/healthz/live"))) is HttpRequestException;
            },
            "the service stops listening");
        Assert.False(stopped.IsCompleted);
        await SignalAsync("CONT");

        Assert.Equal(CandidateSource.ScenarioFallback, (await waiting).Source);
        await stopped;
    }

    [Fact]
    public async Task A_stream_outlives_a_restart_of_Redis()
    {
        await Seed.FallbacksAsync();
        await Seed.SetAsync("u", Seeder.Home, Seeder.Set(5, trigger: "first"));
        await using var api = await RunningApi.StartReadyAsync(_redis.Address, ("Api:RedisTimeout", "00:00:00.500"));
        using var stream = api.Client.WatchCandidates(new() { Request = Request() });
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("first", stream.ResponseStream.Current.Response.TriggerEventId);

        var next = stream.ResponseStream.MoveNext(CancellationToken.None);
        await _redis.RestartAsync();
        await ReconnectAsync();
        await Seed.FallbacksAsync();
        await Seed.SetAsync("u", Seeder.Home, Seeder.Set(5, trigger: "second"));
        await Eventually.TrueAsync(
            async () =>
            {
                await Seed.AnnounceAsync("u");
                return next.IsCompleted;
            },
            "the stream hears announcements again");

        // Right after the restart Redis was empty, which the stream may have seen.
        Assert.True(await next);
        while (stream.ResponseStream.Current.Response.Source != CandidateSource.Personalized)
        {
            await Seed.AnnounceAsync("u");
            Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
        }

        Assert.Equal("second", stream.ResponseStream.Current.Response.TriggerEventId);
    }

    [Fact]
    public async Task Fallback_lists_outlive_an_emptied_Redis_and_follow_a_new_model()
    {
        await Seed.FallbacksAsync();
        await using var api = await RunningApi.StartReadyAsync(_redis.Address);
        await Seed.Database.ExecuteAsync("FLUSHALL");
        var gets = await GetsAsync();
        await Eventually.TrueAsync(async () => await GetsAsync() >= gets + 8, "the service has seen that Redis is empty");

        Assert.Equal(CandidateSource.ScenarioFallback, (await api.GetAsync(Request())).Source);

        await Seed.StoreAsync(Contracts.RedisKeys.PopularIn("new"), Seeder.Fallback("new", 3));
        await Seed.StoreAsync(
            Contracts.RedisKeys.Scenarios,
            new Contracts.Storage.V1.ScenarioDirectory { ModelVersion = "m5-test-2", Scenarios = { "new" } });
        var listed = await Eventually.GetAsync(
            () => api.Client.ListScenariosAsync(new()).ResponseAsync, list => list.Scenarios.Contains("new"), "the new scenario is listed");
        Assert.Equal(("m5-test-2", 1), (listed.ModelVersion, listed.Scenarios.Count));
        var answer = await api.GetAsync(new() { UserId = "u", Scenario = "new" });
        Assert.Equal(["new-0", "new-1", "new-2"], answer.Candidates.Select(c => c.ItemId));
        var gone = await Rpc.FailureAsync(() => api.GetAsync(Request()));
        Assert.Equal(StatusCode.NotFound, gone.StatusCode);
    }

    private static GetCandidatesRequest Request() => new() { UserId = "u", Scenario = Seeder.Home, Limit = 2, ExcludeItemIds = { "home-1" } };

    private static async Task<(GetCandidatesResponse Response, Metadata Trailers)> GetWithTrailersAsync(RunningApi api)
    {
        using var call = api.Client.GetCandidatesAsync(Request());
        return (await call.ResponseAsync, call.GetTrailers());
    }

    // A stopped process keeps its connections open and answers nothing: a Redis that hangs.
    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_redis.ProcessId}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private Task ReconnectAsync() => Eventually.TrueAsync(
        async () => await Record.ExceptionAsync(() => Seed.Database.PingAsync()) is null, "the test is connected again");

    private async Task<int> GetsAsync()
    {
        var statistics = await _connection.GetServer(_redis.Address).InfoRawAsync("commandstats");
        var line = statistics!.Split('\n').Single(entry => entry.StartsWith("cmdstat_get:", StringComparison.Ordinal));
        return int.Parse(line["cmdstat_get:calls=".Length..line.IndexOf(',', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
    }
}
