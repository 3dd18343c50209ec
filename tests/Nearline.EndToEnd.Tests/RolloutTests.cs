using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;

namespace Nearline.EndToEnd.Tests;

public sealed class RolloutTests
{
    [Fact]
    public async Task Canary_experiment_promotion_and_backfill_by_command_reach_what_the_api_answers()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var models = pipeline.ModelsDirectory;
        var first = new BundleStore(models).ActiveVersion!;
        M5Bundle.WriteUntrained(pipeline.World, M5Config.Small, models, seed: 9, version: "second");
        await Pipeline.RunNearlineAsync("publish", "--data", pipeline.WorldDirectory, "--bootstrap", pipeline.Stack.Kafka.BootstrapServers);
        await pipeline.CaughtUpAsync();
        var user = pipeline.World.Users[0].User.Id;
        var scenario = pipeline.World.Scenarios[0].Id;
        Assert.Equal(first, (await pipeline.SetOfAsync(user, scenario))?.ModelVersion);

        Assert.Contains("100% of the users", await ModelsAsync("canary", "second", "--percent", "100"), StringComparison.Ordinal);
        Assert.Contains("variant bold", await ModelsAsync("experiment", "bold", first, "--percent", "100"), StringComparison.Ordinal);
        await ServedAsync("second");
        await Eventually.TrueAsync(async () => (await GetAsync("--variant", "bold")).Contains($"variant bold, model {first}", StringComparison.Ordinal), "the experiment is answered");
        Assert.Contains("canary 100%", await ModelsAsync("list"), StringComparison.Ordinal);
        Assert.Contains("second is active", await ModelsAsync("promote"), StringComparison.Ordinal);
        await ModelsAsync("abort", "bold");
        await Eventually.TrueAsync(async () => !(await GetAsync("--variant", "bold")).Contains("variant", StringComparison.Ordinal), "the experiment is over");
        Assert.Contains($"{first} is active", await ModelsAsync("rollback"), StringComparison.Ordinal);
        await ServedAsync(first);

        var before = (await pipeline.SetOfAsync(user, scenario))!.GeneratedAt;
        var filled = await Pipeline.RunNearlineAsync("backfill", "--redis", pipeline.Stack.Redis.Address, "--scenario", scenario);
        Assert.Contains($"asked for, scenario {scenario}", filled, StringComparison.Ordinal);
        Assert.Contains($"{pipeline.World.Users.Count} users asked for", filled, StringComparison.Ordinal);
        Assert.True((await pipeline.SetOfAsync(user, scenario))!.GeneratedAt.ToDateTimeOffset() > before.ToDateTimeOffset(), "the set is made anew");
        var capacity = await Pipeline.RunNearlineAsync("capacity", "--redis", pipeline.Stack.Redis.Address, "--subscribers", "1e6");
        Assert.Contains($"bytes a set (measured: {pipeline.World.Users.Count} users in Redis)", capacity, StringComparison.Ordinal);
        Assert.Contains("events/s at peak = 1,000,000 subscribers", capacity, StringComparison.Ordinal);
        await using var wrong = Pipeline.Nearline("backfill", "--redis", pipeline.Stack.Redis.Address, "--scenario", "nowhere");
        Assert.Equal(1, await wrong.WaitForExitAsync());
        Assert.Contains(wrong.LastLines, l => l.Contains("--scenario is 'nowhere'; served are", StringComparison.Ordinal));

        Task<string> ModelsAsync(params string[] arguments) => Pipeline.RunNearlineAsync(["models", .. arguments, "--models", models]);

        Task<string> GetAsync(params string[] arguments) =>
            Pipeline.RunNearlineAsync(["get", user, "--scenario", scenario, "--api", pipeline.Stack.GrpcAddress, .. arguments]);

        Task ServedAsync(string version) => Eventually.TrueAsync(
            async () => (await pipeline.SetOfAsync(user, scenario))?.ModelVersion == version, $"{version} has made the set");
    }
}
