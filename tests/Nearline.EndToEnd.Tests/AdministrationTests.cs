using Grpc.Net.Client;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;
using Xunit.Abstractions;

namespace Nearline.EndToEnd.Tests;

public sealed class AdministrationTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Explain_index_and_administration_of_a_real_stack_say_and_do_what_is_true()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var api = pipeline.Stack.GrpcAddress;
        using var channel = GrpcChannel.ForAddress(api);
        var admin = new AdminService.AdminServiceClient(channel);
        await Pipeline.RunNearlineAsync("publish", "--data", pipeline.WorldDirectory, "--bootstrap", pipeline.Stack.Kafka.BootstrapServers);
        await pipeline.CaughtUpAsync();
        var store = new BundleStore(pipeline.ModelsDirectory);
        var version = store.ActiveVersion!;

        // The index: what the worker printed when the model became active.
        var printed = await Pipeline.RunNearlineAsync("index", "--api", api);
        var logged = pipeline.Stack.Worker.LastLines.Single(l => l.Contains($"index of model {version}: ", StringComparison.Ordinal));
        Assert.Contains($"{version}: active 100%; tower on cpu; ", printed, StringComparison.Ordinal);
        Assert.Contains("  " + logged[(logged.IndexOf(version, StringComparison.Ordinal) + version.Length + 2)..], printed, StringComparison.Ordinal);
        var info = await admin.GetIndexInfoAsync(new());
        Assert.Equal((version, "exact-cpu", pipeline.World.Shows.Count, 2 * M5Config.Small.Width), (info.ModelVersion, info.Backend, info.ItemCount, info.Dimension));

        // A show of the set, one that was watched, one that is in no catalog.
        var log = pipeline.World.Users.MaxBy(u => u.Actions.Where(a => a.Kind == ActionKind.Watch && a.Played >= TimeSpan.FromMinutes(2)).DistinctBy(a => a.ShowId).Count())!;
        var (user, scenario) = (log.User.Id, (log.User.Scenarios is [var own, ..] ? own : pipeline.World.Scenarios[0].Id));
        var set = (await pipeline.SetOfAsync(user, scenario))!;
        var watched = log.Actions.First(a => a.Kind == ActionKind.Watch && a.Played >= TimeSpan.FromMinutes(2)).ShowId!;
        using var model = M5Retriever.Load(store.Open(version), "cpu", 1);
        var history = UserHistories.Start(log.User);
        log.Actions.ToList().ForEach(a => history.Apply(a));

        var served = await ExplainAsync(set.ShowIds[2]);
        Assert.Equal((true, 3, version), (served.Served, served.Rank, served.Explanation.ModelVersion));
        var alone = model.Retrieve([new RetrievalRequest(user, history, served.Explanation.ExplainedFor.ToDateTimeOffset())], 300).Users[0].Single(s => s.Scenario == scenario).Shows;
        Assert.Equal(alone.Single(s => s.ShowId == set.ShowIds[2]).Score, served.Explanation.Scores.Score, 1e-4);
        Assert.Equal(alone.ToList().FindIndex(s => s.ShowId == set.ShowIds[2]) + 1, served.Explanation.Rank);
        Assert.NotEmpty(served.Explanation.NearestById);

        var text = await Pipeline.RunNearlineAsync("explain", user, watched, "--scenario", scenario, "--api", api);
        output.WriteLine(printed + "\n" + text);
        Assert.Contains($"'{watched}' is not in the user's own set. '{watched}' is kept out of the set, whatever its score", text, StringComparison.Ordinal);
        Assert.Contains("KEPT OUT the user watched it, ", text, StringComparison.Ordinal);
        Assert.Contains("score    ", text, StringComparison.Ordinal);
        Assert.Contains("nearest by content: ", text, StringComparison.Ordinal);
        text = await Pipeline.RunNearlineAsync("explain", user, "no-such-show", "--scenario", scenario, "--api", api);
        Assert.Contains($"KEPT OUT neither model {version} nor the catalog has it", text, StringComparison.Ordinal);
        await using var wrong = Pipeline.Nearline("explain", "nobody", watched, "--scenario", "nowhere", "--api", api);
        Assert.Equal(1, await wrong.WaitForExitAsync());
        Assert.Contains(wrong.LastLines, l => l.Contains("NotFound: scenario is 'nowhere', which is not served; known: ", StringComparison.Ordinal));

        // Another bundle by the admin api: worker and sets follow. Then a refresh, a deletion, and back.
        M5Bundle.WriteUntrained(pipeline.World, M5Config.Small, pipeline.ModelsDirectory, seed: 9, version: "second");
        Assert.Equal(version, (await admin.ActivateModelAsync(new() { Version = "second" })).PreviousVersion);
        await Eventually.TrueAsync(async () => (await admin.GetIndexInfoAsync(new())).ModelVersion == "second", "the worker serves the second bundle");
        await admin.RefreshUserAsync(new() { UserId = user });
        await Eventually.TrueAsync(async () => (await pipeline.SetOfAsync(user, scenario))?.ModelVersion == "second", "the user's set is of it");
        await admin.DeleteUserAsync(new() { UserId = user });
        await Eventually.TrueAsync(async () => await pipeline.SetOfAsync(user, scenario) is null, "nothing is left of the user");
        Assert.Equal(("second", version), ((await admin.RollbackModelAsync(new())).PreviousVersion, store.ActiveVersion));

        async Task<ExplainCandidateResponse> ExplainAsync(string show) => ExplainCandidateResponse.Parser.ParseJson(
            await Pipeline.RunNearlineAsync("explain", user, show, "--scenario", scenario, "--json", "--api", api));
    }
}
