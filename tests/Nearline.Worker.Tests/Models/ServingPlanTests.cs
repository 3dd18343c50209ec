using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Bundles;
using Nearline.Worker.Models;

namespace Nearline.Worker.Tests.Models;

public sealed class ServingPlanTests
{
    private const int Users = 100_000;

    private static readonly string[] Names = [.. Enumerable.Range(0, Users).Select(i => $"user-{i}")];

    [Theory]
    [InlineData(0.01)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(33.33)]
    [InlineData(50)]
    [InlineData(99.5)]
    public void Share_of_the_users_is_the_percentage(double percent)
    {
        var plan = Canary("v2", percent);
        var taken = Names.Count(u => plan.VersionFor(u) == "v2");

        // Five standard deviations of as many coins: exact would be luck.
        var (mean, deviation) = (Users * percent / 100, Math.Sqrt(Users * percent / 100 * (1 - (percent / 100))));
        Assert.InRange(taken, mean - (5 * deviation) - 1, mean + (5 * deviation) + 1);
    }

    [Fact]
    public void Nobody_at_none_everybody_at_all_and_who_is_in_stays_in_as_the_share_grows()
    {
        Assert.All(Names.Take(1000), u => Assert.Equal("v1", new ServingPlan("v1", Rollout.None).VersionFor(u)));
        var before = new HashSet<string>();
        foreach (var percent in new[] { 0.01, 0.5, 1, 5, 10, 25, 50, 75, 99.99, 100 })
        {
            var plan = Canary("v2", percent);
            var now = Names.Where(u => plan.VersionFor(u) == "v2").ToHashSet();
            Assert.Superset(before, now);
            before = now;
        }

        Assert.Equal(Users, before.Count);
    }

    [Fact]
    public void Users_are_the_same_in_every_version_of_the_program()
    {
        // They are in the stored sets: a change of the hash would move users between models without a word.
        var plan = Canary("v2", 10);
        Assert.Equal("7 21 27 28 39 49", string.Join(' ', Enumerable.Range(0, 60).Where(i => plan.VersionFor($"user-{i}") == "v2")));
    }

    [Fact]
    public void Canaries_and_experiments_take_users_independently_of_one_another()
    {
        var (first, second) = (Canary("v2", 20), Canary("v3", 20));
        var experiment = new ServingPlan("v1", new Rollout(null, [new Experiment("bold", "v2", 20)]));
        var inFirst = Names.Where(u => first.VersionFor(u) == "v2").ToList();
        foreach (var share in new[]
        {
            inFirst.Count(u => second.VersionFor(u) == "v3"),
            inFirst.Count(u => experiment.ExperimentsOf(u).Any()),
        })
        {
            Assert.InRange(share / (double)inFirst.Count, 0.18, 0.22);
        }
    }

    [Fact]
    public void Id_says_all_of_a_plan() => Prop.ForAll<byte, byte, byte>((canary, bold, calm) =>
    {
        var experiments = new List<Experiment>();
        if (bold % 3 > 0)
        {
            experiments.Add(new Experiment("bold", "m5-20261122T013000Z-1f0a", (bold % 100) + 0.25));
        }

        if (calm % 3 > 0)
        {
            experiments.Insert(0, new Experiment("calm_2", "v.3", 100));
        }

        var plan = new ServingPlan("v1", new Rollout(canary % 3 == 0 ? null : new CanaryRelease("v-2", (canary % 100) + 0.01), experiments));
        var read = ServingPlan.Parse(plan.Id)!;
        Assert.Equal(plan.Id, read.Id);
        Assert.Equal(plan.Rollout.Canary, read.Rollout.Canary);
        Assert.Equal(plan.Rollout.Experiments.OrderBy(e => e.Name), read.Rollout.Experiments);
        Assert.All(Names.Take(300), u => Assert.True(plan.IsSameFor(u, read)));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("v1;canary")]
    [InlineData("v1;canary=v2@much")]
    [InlineData("v1;=v2@3")]
    public void Text_that_is_no_plan_is_none(string text) => Assert.Null(ServingPlan.Parse(text));

    private static ServingPlan Canary(string version, double percent) => new("v1", new Rollout(new CanaryRelease(version, percent), []));
}
