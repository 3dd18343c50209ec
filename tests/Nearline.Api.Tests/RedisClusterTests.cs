using Nearline.Api.Tests.Support;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.Api.Tests;

/// <summary>The service on a Redis Cluster, unchanged, and through the loss of a master.</summary>
[Collection(RedisCollection.Name)]
public sealed class RedisClusterTests
{
    [Fact]
    public async Task Users_of_all_slots_are_served_and_watched_before_and_after_a_master_dies()
    {
        await using var cluster = await RedisCluster.StartAsync();
        using var connection = await ConnectionMultiplexer.ConnectAsync(cluster.Addresses + ",abortConnect=false,connectTimeout=30000");
        var seed = new Seeder(connection.GetDatabase());
        await seed.FallbacksAsync();
        var users = Enumerable.Range(0, 60).Select(_ => Seeder.NewUser()).ToArray();
        await Task.WhenAll(users.Select(user => seed.SetAsync(user, Seeder.Home, Seeder.Set(5, trigger: user))));
        await Task.WhenAll(users.Select(user => seed.WatchedAsync(user, "s-0")));
        var masters = await Task.WhenAll(users.Select(user => cluster.MasterOfAsync(RedisKeys.State(user))));
        Assert.Equal(3, masters.Distinct().Count());
        await using var api = await RunningApi.StartReadyAsync(
            cluster.Addresses, ("Api:RedisTimeout", "00:00:01"), ("Api:WatchResync", "00:10:00"));
        using var stream = api.Client.WatchCandidates(new() { Request = new() { UserId = users[0], Scenario = Seeder.Home } });
        Assert.Equal(users[0], await NextAsync(stream));

        await Eventually.TrueAsync(() => AllAsync(api, users), "each user has the own set", TimeSpan.FromSeconds(60));
        await seed.RenewAsync(users[0], Seeder.Home, Seeder.Set(5, trigger: "renewed"));
        Assert.Equal("renewed", await NextAsync(stream));
        await seed.SetAsync(users[0], Seeder.Home, Seeder.Set(5, trigger: users[0]));

        // A replica has what it was sent; these writes are older than that.
        var replica = await cluster.ReplicaOfAsync(masters[0]);
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    return await connection.GetDatabase().StringGetAsync(RedisKeys.Set(users[0], Seeder.Home), (CommandFlags)12) is { IsNull: false } set
                        && set.ToString().Contains(users[0], StringComparison.Ordinal);
                }
                catch (RedisException)
                {
                    // The client has not reached the replica yet.
                    return false;
                }
            },
            "the replica has it");
        await masters[0].KillAsync();
        Assert.Equal(replica.Port, (await cluster.MasterOfAsync(RedisKeys.State(users[0]))).Port);

        await Eventually.TrueAsync(() => AllAsync(api, users), "each user has the own set again", TimeSpan.FromSeconds(90));
    }

    private static async Task<string> NextAsync(Grpc.Core.AsyncServerStreamingCall<WatchCandidatesResponse> stream)
    {
        using var timeout = new CancellationTokenSource(Eventually.Long);
        Assert.True(await stream.ResponseStream.MoveNext(timeout.Token));
        return stream.ResponseStream.Current.Response.TriggerEventId;
    }

    private static async Task<bool> AllAsync(RunningApi api, string[] users)
    {
        var request = new MultiGetCandidatesRequest();
        request.Requests.Add(users.Select(user => new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home }));
        var response = await api.Client.MultiGetCandidatesAsync(request);
        return response.Results.Select(result => result.Response?.TriggerEventId).SequenceEqual(users) &&
            response.Results.All(result => result.Response.Candidates[0].ItemId == "s-1");
    }
}
