using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.Api.Tests.Security;

[Collection(RedisCollection.Name)]
public sealed class FailureTests(SharedRedis redis)
{
    [Fact]
    public async Task What_fails_inside_stays_inside_but_for_a_number_that_finds_it_in_the_log()
    {
        await using var api = await RunningApi.StartReadyAsync(redis.Address);
        // Nothing that a caller or Redis sends breaks a handler, so the service itself is broken here.
        api.Services.GetRequiredService<IConnectionMultiplexer>().Dispose();
        var failure = await Rpc.FailureAsync(() => api.GetAsync(new() { UserId = "broken", Scenario = Seeder.Home }));

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        var incident = failure.Detail.Split(' ')[^1].TrimEnd('.');
        Assert.Matches("^[0-9a-f]{12}$", incident);
        Assert.DoesNotContain("Exception", failure.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Disposed", failure.Detail, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(api.Log.Lines, line => line.EndsWith($"GetCandidates failed, incident {incident}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_without_a_deadline_gets_the_services_own()
    {
        await using var own = await RedisServer.StartAsync();
        await using var api = await RunningApi.StartAsync(
            own.Address, ("Api:RedisTimeout", "00:00:10"), ("Api:DefaultDeadline", "00:00:00.300"));
        own.Suspend();

        var failure = await Rpc.FailureAsync(() => api.GetAsync(new() { UserId = "u", Scenario = Seeder.Home }));

        own.Resume();
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }
}
