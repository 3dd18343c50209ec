using Nearline.Cli.Publishing;
using Nearline.Contracts.Events.V1;

namespace Nearline.EndToEnd.Tests;

public sealed class KillNineTests
{
    private const int Kills = 3;

    [Fact]
    public async Task After_kill_9_in_mid_stream_every_state_equals_the_reference_fold()
    {
        // Small batches: many writes and commits, so that kills fall between them.
        await using var pipeline = await Pipeline.StartAsync(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Worker__BatchMaxEvents"] = "16",
        });
        var published = UserEvents.Merged(pipeline.World.Users).ToList();
        var rate = published.Count / 8.0;
        await using var publish = Pipeline.Nearline(
            "publish",
            "--data", pipeline.WorldDirectory,
            "--bootstrap", pipeline.Stack.Kafka.BootstrapServers,
            "--rate", rate.ToString(System.Globalization.CultureInfo.InvariantCulture));

        var killed = 0;
        for (; killed < Kills && !publish.HasExited; killed++)
        {
            // In mid-stream: something is applied since the last start, and the publisher is still at it.
            var applied = await AppliedAsync(pipeline);
            await Eventually.TrueAsync(
                async () => await AppliedAsync(pipeline) > applied || publish.HasExited, "the worker applies events");
            pipeline.Stack.Worker.Kill();
            await pipeline.Stack.Worker.WaitForExitAsync();
            pipeline.Stack.StartWorker();
        }

        Assert.Equal(0, await publish.WaitForExitAsync());
        Assert.True(killed >= 2, "the publisher ended before the worker could be killed twice");
        await pipeline.Stack.WaitUntilReadyAsync(CancellationToken.None);
        await pipeline.CaughtUpAsync();

        foreach (var user in published.GroupBy(e => e.UserId))
        {
            var state = await pipeline.StateOfAsync(user.Key);
            Assert.True(state is not null, $"user {user.Key} has no state");
            Assert.Equal(ReferenceFold.Of([.. user]), ReferenceFold.Describe(state));
        }

        await SetsFollowTheLastEventsAsync(pipeline, published);
    }

    private static async Task SetsFollowTheLastEventsAsync(Pipeline pipeline, List<UserEvent> published)
    {
        foreach (var user in published.GroupBy(e => e.UserId))
        {
            var state = await pipeline.StateOfAsync(user.Key);
            var last = RenewingEvents.Last(user);
            var scenarios = state!.Scenarios.Count > 0 ? [.. state.Scenarios] : pipeline.World.Scenarios.Select(s => s.Id);
            foreach (var scenario in scenarios)
            {
                var set = await pipeline.SetOfAsync(user.Key, scenario);
                Assert.True(set is not null, $"user {user.Key} has no set in {scenario}");
                Assert.Equal(last.EventId, set.TriggerEventId);
            }
        }
    }

    private static async Task<long> AppliedAsync(Pipeline pipeline)
    {
        var applied = 0L;
        foreach (var user in pipeline.World.Users)
        {
            applied += (long)((await pipeline.StateOfAsync(user.User.Id))?.NextOrder ?? 0);
        }

        return applied;
    }
}
