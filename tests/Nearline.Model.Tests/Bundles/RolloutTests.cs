using System.Text.Json;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Bundles;

public sealed class RolloutTests : IDisposable
{
    private readonly TempDirectory models = new();
    private readonly BundleStore bundles;
    private readonly RolloutStore rollouts;

    public RolloutTests()
    {
        bundles = new BundleStore(models.Path);
        rollouts = new RolloutStore(bundles);
    }

    private string FilePath => models[RolloutStore.FileName];

    public void Dispose() => models.Dispose();

    [Fact]
    public void Canary_begins_grows_and_becomes_the_active_bundle()
    {
        Bundles("v1", "v2", "v3");
        Assert.Equal(Rollout.None, rollouts.Read());
        rollouts.SetCanary("v2", 0.5);
        rollouts.SetCanary("v2", 25);
        Assert.Equal(new CanaryRelease("v2", 25), rollouts.Read().Canary);
        Assert.Equal("v1", bundles.ActiveVersion);
        Assert.Contains("canary.version is 'v2', which is under way", Refused(() => rollouts.SetCanary("v3", 1)), StringComparison.Ordinal);
        Assert.Equal("v2", rollouts.Promote());
        Assert.Equal(("v2", "v1"), (bundles.ActiveVersion, bundles.Previous));
        Assert.Null(rollouts.Read().Canary);
        Assert.False(File.Exists(FilePath));
        Assert.Equal("v1", bundles.Rollback());
    }

    [Fact]
    public void Experiments_come_and_go_beside_the_canary()
    {
        Bundles("v1", "v2", "v3");
        rollouts.SetCanary("v2", 10);
        rollouts.SetExperiment("bold", "v3", 5);
        rollouts.SetExperiment("calm-2", "v1", 100);
        rollouts.SetExperiment("bold", "v2", 6);
        Assert.Equal([new Experiment("calm-2", "v1", 100), new Experiment("bold", "v2", 6)], rollouts.Read().Experiments);
        rollouts.SetExperiment("third", "v3", 1);
        Assert.Contains("at most 3 are allowed", Refused(() => rollouts.SetExperiment("fourth", "v3", 1)), StringComparison.Ordinal);
        Assert.Equal("v2", rollouts.Abort());
        Assert.Equal("v3", rollouts.Promote("third"));
        Assert.Equal("v2", rollouts.Abort("bold"));
        Assert.Equal(["calm-2"], rollouts.Read().Experiments.Select(e => e.Name));
        Assert.Contains("'bold' is no experiment; experiments: calm-2", Refused(() => rollouts.Abort("bold")), StringComparison.Ordinal);
        Assert.Contains("no canary is under way", Refused(() => rollouts.Promote()), StringComparison.Ordinal);
        Assert.Equal("v3", bundles.ActiveVersion);
    }

    [Fact]
    public void What_cannot_be_served_is_refused_by_field_and_value_and_changes_nothing()
    {
        Assert.Contains("no version is active", Refused(() => rollouts.SetCanary("v2", 10)), StringComparison.Ordinal);
        Bundles("v1", "v2");
        File.AppendAllText(Path.Combine(models["v2"], "weights"), "more");
        foreach (var (act, expected) in new (Action, string)[]
        {
            (() => rollouts.SetCanary("v1", 10), "canary.version is 'v1', which is the active one"),
            (() => rollouts.SetCanary("v2", 10), "weights"),
            (() => rollouts.SetCanary("v9", 10), "v9"),
            (() => rollouts.SetCanary("../x", 10), "version is '../x'"),
            (() => rollouts.SetCanary("v2", 0), "canary.percent is 0; 0.01 to 100 is needed"),
            (() => rollouts.SetCanary("v2", double.NaN), "canary.percent is NaN"),
            (() => rollouts.SetExperiment("bold", "v1", 100.5), "experiments.bold.percent is 100.5"),
            (() => rollouts.SetExperiment("canary", "v1", 10), "experiments.name is 'canary'"),
            (() => rollouts.SetExperiment("Bold one", "v1", 10), "experiments.name is 'Bold one'"),
        })
        {
            Assert.Contains(expected, Refused(act), StringComparison.Ordinal);
        }

        Assert.Equal(Rollout.None, rollouts.Read());
        Assert.False(File.Exists(FilePath));
    }

    [Theory]
    [InlineData("", "expected a rollout")]
    [InlineData("null", "found null")]
    [InlineData("{\"schema\":2}", "schema is 2; this version reads 1")]
    [InlineData("{\"schema\":1,\"canari\":{}}", "canari")]
    [InlineData("{\"schema\":1,\"canary\":{\"version\":\"v2\"}}", "percent")]
    [InlineData("{\"schema\":1,\"canary\":{\"version\":\"a/b\",\"percent\":1}}", "canary.version is 'a/b'")]
    [InlineData("{\"schema\":1,\"canary\":{\"version\":\"v2\",\"percent\":101}}", "canary.percent is 101")]
    [InlineData("{\"schema\":1,\"experiments\":[{\"name\":\"a\",\"version\":\"v\",\"percent\":1},{\"name\":\"a\",\"version\":\"w\",\"percent\":1}]}", "'a' 2 times")]
    public void Damaged_file_is_refused_by_name(string json, string expected)
    {
        File.WriteAllText(FilePath, json);
        var error = Assert.Throws<BundleException>(() => rollouts.Read());
        Assert.Equal(FilePath, error.Path);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static string Refused(Action act) => Assert.Throws<BundleException>(act).Message;

    private void Bundles(params string[] versions)
    {
        foreach (var version in versions)
        {
            Write(version);
        }

        bundles.Activate(versions[0]);
    }

    private void Write(string version)
    {
        using var writer = new BundleWriter(models.Path, version);
        File.WriteAllText(writer.PathOf("weights"), version);
        writer.Commit(new BundleManifest
        {
            Version = version,
            CreatedAt = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero),
            Hyperparameters = JsonDocument.Parse("{}").RootElement,
            Scenarios = [new Scenario("home")],
            ItemCount = 1,
        });
    }
}
