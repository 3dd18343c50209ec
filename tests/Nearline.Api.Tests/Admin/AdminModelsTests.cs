using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Admin.V1;
using Nearline.Model.Bundles;
using Nearline.Model.Data;

namespace Nearline.Api.Tests.Admin;

[Collection(RedisCollection.Name)]
public sealed class AdminModelsTests(SharedRedis redis) : IDisposable
{
    private static readonly DateTimeOffset Made = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _models = Directory.CreateTempSubdirectory("nearline-api-models-").FullName;

    public void Dispose() => Directory.Delete(_models, recursive: true);

    [Fact]
    public async Task Bundles_are_listed_newest_first_with_whom_they_serve_and_what_is_broken()
    {
        var store = Write("v1", "v2", "v3", "damaged");
        store.Activate("v1");
        var rollouts = new RolloutStore(store);
        rollouts.SetCanary("v2", 12.5);
        rollouts.SetExperiment("bold", "v1", 5);
        await File.AppendAllTextAsync(Path.Combine(_models, "damaged", "weights"), "more");
        await using var api = await StartAsync();
        var admin = new AdminService.AdminServiceClient(api.Channel);

        var list = await admin.ListModelsAsync(new());

        Assert.Equal(["v3", "v2", "v1"], list.Models.Select(m => m.Version));
        Assert.Equal([false, false, true], list.Models.Select(m => m.Active));
        Assert.Equal([[], [("canary", 12.5)], [("active", 100), ("bold", 5)]], list.Models.Select(m => m.Roles.Select(r => (r.Name, r.Percent))));
        Assert.All(list.Models, m => Assert.Equal((7, 0.25), (m.ItemCount, m.Metrics["hr20"])));
        Assert.All(list.Models, m => Assert.Equal(["home", "kids"], m.Scenarios));
        Assert.Equal(Made.AddDays(3), list.Models[0].CreatedAt.ToDateTimeOffset());
        var broken = Assert.Single(list.Broken);
        Assert.EndsWith("damaged/weights", broken.Path, StringComparison.Ordinal);
        Assert.Equal("expected 8 bytes, found 12", broken.Problem);

        await File.WriteAllTextAsync(Path.Combine(_models, "rollout.json"), "{}");
        list = await admin.ListModelsAsync(new());
        Assert.Equal(3, list.Models.Count);
        Assert.Contains(list.Broken, b => b.Path.EndsWith("rollout.json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bundle_is_activated_after_it_was_verified_and_rolled_back()
    {
        var store = Write("v1", "v2", "v3");
        await using var api = await StartAsync();
        var admin = new AdminService.AdminServiceClient(api.Channel);

        var first = await admin.ActivateModelAsync(new() { Version = "v1" });
        var second = await admin.ActivateModelAsync(new() { Version = "v2" });
        var again = await admin.ActivateModelAsync(new() { Version = "v2" });

        Assert.Equal(("v1", true, ""), (first.Model.Version, first.Model.Active, first.PreviousVersion));
        Assert.Equal(("v2", true, "v1"), (second.Model.Version, second.Model.Active, second.PreviousVersion));
        Assert.Equal("v2", again.PreviousVersion);
        Assert.Equal("v2", store.ActiveVersion);

        // Of the same size, so that only its hash tells.
        await File.WriteAllTextAsync(Path.Combine(_models, "v3", "weights"), "not v3's");
        await FailsAsync(StatusCode.FailedPrecondition, "weights: sha256", () => admin.ActivateModelAsync(new() { Version = "v3" }).ResponseAsync);
        await FailsAsync(StatusCode.NotFound, "version is 'v9', of which there is no bundle; there are v3, v2, v1", () => admin.ActivateModelAsync(new() { Version = "v9" }).ResponseAsync);
        await FailsAsync(StatusCode.InvalidArgument, "version is ''; it must be a bundle's, as ListModels names it", () => admin.ActivateModelAsync(new()).ResponseAsync);
        await FailsAsync(StatusCode.InvalidArgument, "version is '../v1'", () => admin.ActivateModelAsync(new() { Version = "../v1" }).ResponseAsync);
        Assert.Equal("v2", store.ActiveVersion);

        var back = await admin.RollbackModelAsync(new());
        Assert.Equal(("v1", true, "v2"), (back.Model.Version, back.Model.Active, back.PreviousVersion));
        Assert.Equal("v1", store.ActiveVersion);
        await FailsAsync(StatusCode.FailedPrecondition, "no version was active before; nothing to roll back to", () => admin.RollbackModelAsync(new()).ResponseAsync);

        Assert.Contains(api.Log.Lines, l => l.StartsWith("admin: ipv4:127.0.0.1:", StringComparison.Ordinal) && l.EndsWith(": ActivateModel 'v2': done", StringComparison.Ordinal));
        Assert.Contains(api.Log.Lines, l => l.Contains(": ActivateModel 'v9': not done: NotFound: version is 'v9'", StringComparison.Ordinal));
        Assert.Contains(api.Log.Lines, l => l.StartsWith("admin: ipv4:127.0.0.1:", StringComparison.Ordinal) && l.EndsWith(": RollbackModel '': done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_folder_the_setting_is_named()
    {
        await using (var api = await RunningApi.StartAsync(redis.Address))
        {
            await AllFailAsync(api, "Api:ModelsDirectory is not set; it must be the folder of bundles");
        }

        await using (var api = await RunningApi.StartAsync(redis.Address, ("Api:ModelsDirectory", Path.Combine(_models, "nowhere"))))
        {
            await AllFailAsync(api, "nowhere'; there is no such folder");
        }

        static async Task AllFailAsync(RunningApi api, string message)
        {
            var admin = new AdminService.AdminServiceClient(api.Channel);
            await FailsAsync(StatusCode.FailedPrecondition, message, () => admin.ListModelsAsync(new()).ResponseAsync);
            await FailsAsync(StatusCode.FailedPrecondition, message, () => admin.ActivateModelAsync(new() { Version = "v1" }).ResponseAsync);
            await FailsAsync(StatusCode.FailedPrecondition, message, () => admin.RollbackModelAsync(new()).ResponseAsync);
        }
    }

    private static async Task FailsAsync(StatusCode code, string message, Func<Task> call)
    {
        var status = await Rpc.FailureAsync(call);
        Assert.Equal(code, status.StatusCode);
        Assert.Contains(message, status.Detail, StringComparison.Ordinal);
    }

    private Task<RunningApi> StartAsync() => RunningApi.StartAsync(redis.Address, ("Api:ModelsDirectory", _models));

    /// <summary>Bundles that are whole, of a model that nobody runs here; each made a day after the one before.</summary>
    private BundleStore Write(params string[] versions)
    {
        for (var i = 0; i < versions.Length; i++)
        {
            using var writer = new BundleWriter(_models, versions[i]);
            File.WriteAllText(writer.PathOf("weights"), versions[i].PadRight(8));
            writer.Commit(new BundleManifest
            {
                Version = versions[i],
                CreatedAt = Made.AddDays(i + 1),
                Hyperparameters = System.Text.Json.JsonSerializer.SerializeToElement(new { }),
                Scenarios = [new Scenario("home"), new Scenario("kids")],
                ItemCount = 7,
                Metrics = new Dictionary<string, double> { ["hr20"] = 0.25 },
            });
        }

        return new BundleStore(_models);
    }
}
