using System.Diagnostics;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Options;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;
using HealthClient = Grpc.Health.V1.Health.HealthClient;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed partial class OperationsTests(SharedRedis redis) : ApiFixture(redis)
{
    [Fact]
    public void Says_in_one_line_where_it_listens()
    {
        var line = Assert.Single(Api.Log.Lines, line => line.StartsWith("Nearline.Api listening:", StringComparison.Ordinal));

        Assert.Equal(
            $"Nearline.Api listening: grpc=http://127.0.0.1:{Api.Grpc.Port} http=http://127.0.0.1:{Api.Http.Port}", line);
        Assert.NotEqual(Api.Grpc.Port, Api.Http.Port);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nearline.candidates.v1.CandidateService")]
    public async Task Is_healthy_over_gRPC_and_HTTP(string service)
    {
        var health = new HealthClient(Api.Channel);

        await Eventually.GetAsync(
            () => health.CheckAsync(new() { Service = service }).ResponseAsync,
            reply => reply.Status == HealthCheckResponse.Types.ServingStatus.Serving,
            "serving");
        var (status, body) = await Api.HttpAsync("/healthz/ready");
        Assert.Equal(200, status);
        Assert.Contains("3 scenarios of model m5-test-1, 3 lists", body, StringComparison.Ordinal);
        Assert.Equal(200, (await Api.HttpAsync("/healthz/live")).Status);
    }

    [Fact]
    public async Task Metrics_tell_what_happened_and_no_ids()
    {
        var (user, item) = ($"private-{Seeder.NewUser()}", "s-2");
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(9, TimeSpan.FromMinutes(2)));
        await Seed.WatchedAsync(user, "s-0");
        await Api.GetAsync(new()
        {
            UserId = user,
            Scenario = Seeder.Home,
            ExcludeItemIds = { item },
            Categories = { Contracts.Catalog.V1.ShowCategory.Series, Contracts.Catalog.V1.ShowCategory.Live },
        });
        await Rpc.FailureAsync(() => Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Limit = -1 }));

        const string Method = "rpc_method=\"nearline.candidates.v1.CandidateService/GetCandidates\"";
        const string Source = "source=\"personalized\"";
        await Api.HasMetricAsync(1, "rpc_server_call_duration_seconds_count", Method, "rpc_system_name=\"grpc\"", "rpc_response_status_code=\"OK\"");
        await Api.HasMetricAsync(1, "rpc_server_call_duration_seconds_count", Method, "rpc_response_status_code=\"INVALID_ARGUMENT\"");
        await Api.HasMetricAsync(1, "nearline_api_answers_total", Source, "scenario=\"home\"");
        await Api.HasMetricAsync(4, "nearline_api_candidates_returned_sum", Source);
        Assert.InRange(await Api.MetricAsync("nearline_api_set_age_seconds_sum", Source), 120, 180);
        await Api.HasMetricAsync(1, "nearline_api_candidates_filtered_total", "reason=\"watched\"");
        await Api.HasMetricAsync(1, "nearline_api_candidates_filtered_total", "reason=\"excluded\"");
        await Api.HasMetricAsync(3, "nearline_api_candidates_filtered_total", "reason=\"category\"");
        await Api.HasMetricAsync(1, "nearline_api_redis_duration_seconds_count", "operation=\"get\"", "outcome=\"ok\"");
        var text = await Api.MetricsAsync();
        Assert.Matches(BreakerClosed(), text);
        Assert.Contains("rpc_server_call_duration_seconds_bucket", text, StringComparison.Ordinal);
        Assert.Contains("le=\"0.0001\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("private-", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s-2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Promtool_accepts_the_metrics()
    {
        await Api.GetAsync(new GetCandidatesRequest { UserId = Seeder.NewUser(), Scenario = Seeder.Home });
        var text = await Api.MetricsAsync();
        var start = new ProcessStartInfo("promtool", ["check", "metrics"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        using var promtool = Process.Start(start)!;
        var errors = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        var output = await promtool.StandardOutput.ReadToEndAsync();
        await promtool.WaitForExitAsync();

        // 1: it cannot be parsed. 3: it can, but a name or help text is against custom; the runtime's own may be.
        var complaints = (output + await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(promtool.ExitCode is 0 or 3, string.Join('\n', complaints));
        Assert.DoesNotContain(complaints, line =>
            line.StartsWith("nearline_", StringComparison.Ordinal) || line.StartsWith("rpc_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Api:BindAddress", "localhost", "Api:BindAddress is 'localhost'; it must be an IP address")]
    [InlineData("Api:GrpcPort", "70000", "Api:GrpcPort is 70000; it must be from 0 to 65535")]
    [InlineData("Api:MaxConcurrentRequests", "0", "Api:MaxConcurrentRequests is 0; it must be at least 1")]
    [InlineData("Api:RedisTimeout", "00:01:00", "Api:RedisTimeout is 00:01:00; it must be from 00:00:00.001")]
    [InlineData("Api:RedisTimeOutt", "1", "Api:RedisTimeOutt is not a setting; there are BindAddress, ")]
    [InlineData("Kafka:RefreshTopic", "a b", "Kafka:RefreshTopic is 'a b'")]
    public async Task Bad_settings_are_refused_at_start_up(string key, string value, string message)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => RunningApi.StartAsync(RedisAddress, (key, value)));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_shutdown_it_is_not_ready_while_it_still_answers()
    {
        await using var api = await RunningApi.StartReadyAsync(RedisAddress, ("Api:ShutdownDelay", "00:00:02"));
        Assert.Equal(200, (await api.HttpAsync("/healthz/ready")).Status);

        var stopped = api.StopAsync();
        await Eventually.GetAsync(() => api.HttpAsync("/healthz/ready"), health => health.Status == 503, "not ready any more");
        var answer = await api.GetAsync(new() { UserId = Seeder.NewUser(), Scenario = Seeder.Home });

        Assert.Equal(CandidateSource.ScenarioFallback, answer.Source);
        Assert.False(stopped.IsCompleted);
        await stopped;
    }

    [GeneratedRegex(@"nearline_api_redis_breaker_state(\{[^}]*\})? 0", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BreakerClosed();
}
