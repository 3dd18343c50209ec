using Nearline.Cli.Publishing;
using Nearline.Contracts.Storage.V1;

namespace Nearline.EndToEnd.Tests;

public sealed class UserCommandTests
{
    [Fact]
    public async Task An_operator_sees_a_user_renews_the_sets_and_deletes_for_good()
    {
        await using var pipeline = await Pipeline.StartAsync();
        using var publisher = new EventPublisher(pipeline.Stack.Kafka.BootstrapServers);
        var log = pipeline.World.Users.First(u => u.Actions.Count > 5);
        var user = log.User.Id;
        var events = UserEvents.Merged([log]).ToList();
        await publisher.PublishAllAsync(events, 0, null, CancellationToken.None);
        await Eventually.TrueAsync(async () => (await pipeline.StateOfAsync(user))?.SetScenarios.Count > 0, "sets are made");
        await pipeline.CaughtUpAsync();

        string[] kafka = ["--bootstrap", pipeline.Stack.Kafka.BootstrapServers];
        string[] redis = ["--redis", pipeline.Stack.Redis.Address];
        var scenario = (await pipeline.StateOfAsync(user))!.SetScenarios[0];
        var shown = await Pipeline.RunNearlineAsync(["user", "show", user, .. redis]);
        Assert.Contains("behaviours", shown, StringComparison.Ordinal);
        Assert.Contains($"set      {scenario}:", shown, StringComparison.Ordinal);

        var before = (await pipeline.SetOfAsync(user, scenario))!.GeneratedAt.ToDateTimeOffset();
        await Pipeline.RunNearlineAsync(["user", "refresh", user, .. kafka]);
        await Eventually.TrueAsync(async () => await SetAsync() is { } set && set.GeneratedAt.ToDateTimeOffset() > before, "the set is made anew");

        await Pipeline.RunNearlineAsync(["user", "delete", user, .. kafka]);
        await Eventually.TrueAsync(async () => (await pipeline.StateOfAsync(user))?.DeletedAt is not null, "the user is deleted");
        Assert.Null(await SetAsync());

        // Late and repeated events of before bring nothing back.
        await publisher.PublishAllAsync(events, 0, null, CancellationToken.None);
        await pipeline.CaughtUpAsync();
        Assert.Empty((await pipeline.StateOfAsync(user))!.Behaviours);
        Assert.Null(await SetAsync());

        Task<RetrievalSet?> SetAsync() => pipeline.SetOfAsync(user, scenario);
    }
}
