using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.LocalServers.Tests;

public sealed class RedisClusterTests
{
    [Fact]
    public async Task Replica_takes_the_place_of_a_master_that_is_killed_and_the_master_comes_back_as_its_replica()
    {
        await using var cluster = await RedisCluster.StartAsync();
        using var client = await ConnectionMultiplexer.ConnectAsync(cluster.Addresses + ",abortConnect=false,connectTimeout=30000");
        var database = client.GetDatabase();
        foreach (var key in Enumerable.Range(0, 30).Select(i => $"key-{i}"))
        {
            // The client connects to one node after another.
            await Wait.UntilAsync(() => SucceedsAsync(() => database.StringSetAsync(key, key)), $"{key} is set");
        }

        var master = await cluster.MasterOfAsync("key-1");
        var replica = await cluster.ReplicaOfAsync(master);
        await Wait.UntilAsync(
            () => SucceedsAsync(async () => await database.StringGetAsync("key-1", (CommandFlags)12) == "key-1"), "the replica has it");
        await master.KillAsync();

        Assert.Equal(replica.Port, (await cluster.MasterOfAsync("key-1")).Port);
        await Wait.UntilAsync(
            () => SucceedsAsync(async () => await database.StringGetAsync("key-1") == "key-1"), "the client finds the new master");
        await master.RestartAsync();
        await cluster.FollowsAsync(master);
        Assert.Equal(master.Port, (await cluster.ReplicaOfAsync(replica)).Port);
    }

    private static async Task<bool> SucceedsAsync(Func<Task<bool>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }
}
