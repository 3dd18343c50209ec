using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Nearline.Api.Tests.Support;
using Nearline.Api.Watching;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed class WatchTests(SharedRedis redis) : ApiFixture(redis)
{
    private RenewalHub Hub => Api.Services.GetRequiredService<RenewalHub>();

    [Fact]
    public async Task Receives_the_set_now_and_each_renewal_until_cancelled()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        using var cancel = new CancellationTokenSource();
        using var call = Watch(user, cancel.Token);

        Assert.Equal("first", (await NextAsync(call)).TriggerEventId);
        Assert.Equal(1, await SubscribersAsync(user));
        foreach (var trigger in new[] { "second", "third" })
        {
            await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3, trigger: trigger));
            Assert.Equal(trigger, (await NextAsync(call)).TriggerEventId);
        }

        await cancel.CancelAsync();
        var status = await Rpc.FailureAsync(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Cancelled, status.StatusCode);
        await Eventually.GetAsync(() => SubscribersAsync(user), count => count == 0, "the channel is unsubscribed");
        Assert.Equal(0, Hub.Subscriptions);
    }

    [Fact]
    public async Task Two_streams_share_a_subscription_that_the_last_one_ends()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        using var one = Watch(user);
        using var two = Watch(user);
        await NextAsync(one);
        await NextAsync(two);

        // Redis counts connections, so this alone would not tell two subscriptions of one connection apart.
        Assert.Equal(1, await SubscribersAsync(user));
        Assert.Equal(1, Hub.Subscriptions);
        await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3, trigger: "second"));
        Assert.Equal("second", (await NextAsync(one)).TriggerEventId);
        Assert.Equal("second", (await NextAsync(two)).TriggerEventId);

        one.Dispose();
        await Api.HasMetricAsync(1, "nearline_api_watch_streams");
        Assert.Equal(1, await SubscribersAsync(user));
        await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3, trigger: "third"));
        Assert.Equal("third", (await NextAsync(two)).TriggerEventId);

        two.Dispose();
        await Eventually.GetAsync(() => SubscribersAsync(user), count => count == 0, "the channel is unsubscribed");
    }

    [Fact]
    public async Task A_stream_that_starts_with_a_fallback_list_goes_on_to_the_users_own_set()
    {
        var user = Seeder.NewUser();
        using var call = Watch(user);

        Assert.Equal(CandidateSource.ScenarioFallback, (await NextAsync(call)).Source);
        await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        var next = await NextAsync(call);
        Assert.Equal((CandidateSource.Personalized, "first"), (next.Source, next.TriggerEventId));
    }

    [Fact]
    public async Task Renewals_that_come_at_once_end_in_the_latest_set()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "0"));
        using var call = Watch(user);
        await NextAsync(call);
        const int Renewals = 50;
        for (var i = 1; i <= Renewals; i++)
        {
            await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3, trigger: $"{i}"));
        }

        // Reads that were under way may give some of those between, in order; the last is the last.
        var seen = 0;
        while (seen < Renewals)
        {
            var next = int.Parse((await NextAsync(call)).TriggerEventId, System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(next > seen, $"{next} came after {seen}");
            seen = next;
        }
    }

    [Fact]
    public async Task A_lost_announcement_is_made_up_for()
    {
        await using var api = await RunningApi.StartReadyAsync(RedisAddress, ("Api:WatchResync", "00:00:00.100"));
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        using var call = api.Client.WatchCandidates(new() { Request = new() { UserId = user, Scenario = Seeder.Home } });
        Assert.Equal("first", (await NextAsync(call)).TriggerEventId);

        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "second"));

        Assert.Equal("second", (await NextAsync(call)).TriggerEventId);
    }

    [Fact]
    public async Task Bad_requests_are_refused()
    {
        using var none = Api.Client.WatchCandidates(new());
        var missing = await Rpc.FailureAsync(() => none.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.InvalidArgument, missing.StatusCode);
        Assert.StartsWith("request is missing", missing.Detail, StringComparison.Ordinal);

        using var empty = Api.Client.WatchCandidates(new() { Request = new() { Scenario = Seeder.Home } });
        var invalid = await Rpc.FailureAsync(() => empty.ResponseStream.MoveNext(CancellationToken.None));
        Assert.StartsWith("request.user_id is empty", invalid.Detail, StringComparison.Ordinal);

        using var nowhere = Api.Client.WatchCandidates(new() { Request = new() { UserId = "u", Scenario = "nowhere" } });
        var unknown = await Rpc.FailureAsync(() => nowhere.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Streams_end_when_the_service_stops()
    {
        await using var api = await RunningApi.StartReadyAsync(RedisAddress);
        using var call = api.Client.WatchCandidates(new() { Request = new() { UserId = "u", Scenario = Seeder.Home } });
        await NextAsync(call);

        var stopped = api.StopAsync();
        var status = await Rpc.FailureAsync(() => call.ResponseStream.MoveNext(CancellationToken.None));
        await stopped;

        Assert.Equal(StatusCode.Unavailable, status.StatusCode);
        Assert.Contains("shutting down", status.Detail, StringComparison.Ordinal);
    }

    private AsyncServerStreamingCall<WatchCandidatesResponse> Watch(string user, CancellationToken cancellationToken = default) =>
        Api.Client.WatchCandidates(
            new() { Request = new() { UserId = user, Scenario = Seeder.Home } }, cancellationToken: cancellationToken);

    private static async Task<GetCandidatesResponse> NextAsync(AsyncServerStreamingCall<WatchCandidatesResponse> call)
    {
        using var limit = new CancellationTokenSource(Eventually.Long);
        Assert.True(await call.ResponseStream.MoveNext(limit.Token), "the stream ended");
        return call.ResponseStream.Current.Response;
    }

    private async Task<long> SubscribersAsync(string user)
    {
        var reply = (StackExchange.Redis.RedisResult[]?)await Seed.Database.ExecuteAsync("PUBSUB", "NUMSUB", RedisKeys.Renewed(user));
        return (long)reply![1];
    }
}
