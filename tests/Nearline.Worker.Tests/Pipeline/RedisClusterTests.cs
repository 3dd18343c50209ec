using System.Net.Sockets;
using System.Text;
using Nearline.Contracts;
using Nearline.LocalServers.Redis;
using Nearline.Worker.Events;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class RedisClusterTests
{
    private static readonly string[] Settings =
        ["--Kafka:CatalogTopic=", "--Worker:BatchMaxEvents=16", "--Worker:RedisTimeout=00:00:01", "--Worker:ConfirmOnReplica=true"];

    [Fact]
    public async Task A_master_killed_under_load_loses_nothing_and_its_replica_serves_on()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var infrastructure = await Infrastructure.StartAsync(cluster);
        var random = new Random(14);
        var logs = Enumerable.Range(0, 24).Select(i => Lives.Log(random, $"u{i}", 40)).ToList();
        List<List<UserEventRecord>> Part(int from, int to) => logs.ConvertAll(l => l[from..to]);
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), null, Settings);
        await infrastructure.PublishAsync(random, Part(0, 5));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.Events, ("outcome", "applied")) > 20, "it works");
        var master = await cluster.MasterOfAsync(RedisKeys.State("u1"));
        var publishing = infrastructure.PublishAsync(random, Part(5, 40));
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.Events) > 200, "it is under load");
        await master.KillAsync();
        var promoted = await cluster.MasterOfAsync(RedisKeys.State("u1"));
        Assert.NotEqual(master.Port, promoted.Port);

        // No write of its slots is confirmed until there is a replica again.
        await master.RestartAsync();
        var last = await publishing;
        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        await worker.ReadyAsync();

        // One incident, or some when one node after the other learns of the failover.
        Assert.InRange(worker.Logs.Warnings("Redis: trouble begins").Count, 1, 4);
        Assert.Equal(worker.Logs.Warnings("Redis: trouble begins").Count, worker.Logs.Information("Redis: trouble is over").Count);
        var slots = logs.Select(l => l[0].UserId).Select(u => cluster.MasterOfAsync(RedisKeys.State(u)));
        Assert.Equal(3, (await Task.WhenAll(slots)).Distinct().Count());
    }

    [Fact]
    public async Task A_write_that_a_master_acknowledged_and_took_with_it_is_made_again()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var infrastructure = await Infrastructure.StartAsync(cluster);
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), null, Settings);
        await infrastructure.CommittedPastAsync(await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow, "e1")));
        var master = await cluster.MasterOfAsync(RedisKeys.State("u1"));
        var replica = await cluster.ReplicaOfAsync(master);

        // The master stores the second event; its replica never hears of it.
        replica.Suspend();
        await SendAsync(master, "CLIENT KILL TYPE replica");
        var second = await infrastructure.PublishAsync(Records.Watch("u1", "film-2", DateTimeOffset.UtcNow, "e2"));
        await Eventually.PassAsync(async () => Assert.True((await infrastructure.UserAsync("u1"))!.History.HasWatched("film-2")));
        await Eventually.PassAsync(async () => Assert.Contains("confirm on replica", (await worker.GetAsync("/healthz/ready")).Body, StringComparison.Ordinal));
        await master.KillAsync();
        replica.Resume();
        Assert.Equal(replica.Port, (await cluster.MasterOfAsync(RedisKeys.State("u1"))).Port);
        Assert.True(await infrastructure.CommittedAsync(second.TopicPartition) <= second.Offset.Value, "nothing is committed that may be gone");
        Assert.False((await infrastructure.UserAsync("u1"))!.History.HasWatched("film-2") && worker.Meters.Sum(MetricNames.StateConflicts) == 0, "the write is gone");
        await master.RestartAsync();

        await infrastructure.CommittedPastAsync(second);
        var user = await infrastructure.UserAsync("u1");
        Assert.Equal(["film-1", "film-2"], user!.History.Behaviours.Select(b => b.ShowId).Order());
        Assert.All(user.History.Behaviours, b => Assert.Equal(1800, b.PlayedSeconds));
        Assert.Equal("e2", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
        Assert.True(worker.Meters.Sum(MetricNames.StateConflicts) >= 1, "it was folded again");
        await worker.ReadyAsync();
    }

    /// <summary>One command to one node, whatever the cluster thinks of it.</summary>
    private static async Task SendAsync(RedisServer node, string command)
    {
        using var client = new TcpClient("127.0.0.1", node.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        var answer = new byte[256];
        var length = await stream.ReadAsync(answer);
        Assert.StartsWith(":", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
    }
}
