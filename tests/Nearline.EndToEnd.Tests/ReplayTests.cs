using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.EndToEnd.Tests;

/// <summary>What was folded live is folded again beside it, by the command, and comes out the same.</summary>
public sealed class ReplayTests
{
    private const string Prefix = "shadow-1:";

    [Fact]
    public async Task Events_of_the_past_lead_to_the_same_states_under_a_prefix_and_change_nothing_that_is_served()
    {
        await using var pipeline = await Pipeline.StartAsync();
        using var publisher = new EventPublisher(pipeline.Stack.Kafka.BootstrapServers);
        var events = UserEvents.Merged(pipeline.World.Users).ToList();
        await publisher.PublishAllAsync(events, 0, null, CancellationToken.None);
        var poison = new Nearline.Contracts.Events.V1.UserEvent { UserId = "nobody", EventId = "poison" };
        await publisher.PublishAsync(poison, CancellationToken.None);
        await pipeline.CaughtUpAsync();
        var letters = pipeline.DeadLetters(1).Count;
        var before = await SnapshotAsync(pipeline, "nl:");
        var users = pipeline.World.Users.Select(u => u.User.Id).ToList();
        using var announced = new CancellationTokenSource();
        await pipeline.RedisConnection.GetSubscriber().SubscribeAsync(
            new RedisChannel("*renewed", RedisChannel.PatternMode.Pattern), (_, _) => announced.Cancel());

        string[] servers =
        [
            "--bootstrap", pipeline.Stack.Kafka.BootstrapServers, "--redis", pipeline.Stack.Redis.Address,
            "--models", pipeline.ModelsDirectory, "--prefix", Prefix,
        ];
        var output = await Pipeline.RunNearlineAsync(["replay", .. servers]);
        Assert.Contains("records of 4 partitions replayed", output, StringComparison.Ordinal);
        foreach (var user in users)
        {
            var (live, shadow) = (await pipeline.StateOfAsync(user), await ReadAsync(pipeline, Prefix + RedisKeys.State(user)));
            Assert.Equal(live is null ? null : Content(live), shadow is null ? null : Content(shadow));
        }

        var sets = (await SnapshotAsync(pipeline, Prefix)).Keys.Count(k => k.Contains(":set:", StringComparison.Ordinal));
        Assert.Equal(before.Keys.Count(k => k.Contains(":set:", StringComparison.Ordinal)), sets);
        Assert.Equal(before, await SnapshotAsync(pipeline, "nl:"));
        Assert.False(announced.IsCancellationRequested, "a replay announces nothing");
        Assert.Equal(letters, pipeline.DeadLetters(letters).Count);

        // From the end on there is nothing.
        var none = await Pipeline.RunNearlineAsync(["replay", .. servers, "--from", "1000000"]);
        Assert.Contains("0 records", none, StringComparison.Ordinal);

        var dropped = await Pipeline.RunNearlineAsync(["replay", .. servers, "--drop"]);
        Assert.Contains("are removed", dropped, StringComparison.Ordinal);
        Assert.Empty(await SnapshotAsync(pipeline, Prefix));
        Assert.Equal(before.Count, (await SnapshotAsync(pipeline, "nl:")).Count);
    }

    /// <summary>What does not depend on how events came together in batches.</summary>
    private static string Content(UserState state)
    {
        var content = state.Clone();
        (content.Revision, content.UpdatedAt) = (0, null);
        (content.MadeSets, content.PendingSets) = (null, null);
        var behaviours = content.Behaviours.OrderBy(b => b.Kind).ThenBy(b => b.ShowId, StringComparer.Ordinal).ToList();
        content.Behaviours.Clear();
        content.Behaviours.AddRange(behaviours);
        return content.ToString();
    }

    private static async Task<UserState?> ReadAsync(Pipeline pipeline, string key)
    {
        byte[]? value = await pipeline.RedisConnection.GetDatabase().StringGetAsync(key);
        return value is null ? null : UserState.Parser.ParseFrom(value);
    }

    /// <summary>Users' keys that begin so, and what they hold.</summary>
    private static async Task<Dictionary<string, string>> SnapshotAsync(Pipeline pipeline, string prefix)
    {
        var server = pipeline.RedisConnection.GetServer(pipeline.RedisConnection.GetEndPoints()[0]);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in server.Keys(0, prefix + "*{*"))
        {
            found[key.ToString()] = Convert.ToHexString((byte[])(await pipeline.RedisConnection.GetDatabase().StringGetAsync(key))!);
        }

        return found;
    }
}
