using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Evaluation;

public sealed class MetricsTests
{
    private static readonly ShowCategory[] Categories = [ShowCategory.Series, ShowCategory.Movie];

    [Fact]
    public void Every_figure_is_what_a_plain_reading_of_the_ranks_gives()
    {
        var (dataset, ranks, coverage) = Case(seed: 3);
        var report = ReportBuilder.Build(dataset, ranks, coverage, new EvaluationOptions { Train = dataset });
        Assert.Equal(["a", "b"], report.Scenarios.Select(s => s.Scenario));
        Assert.Equal(["series", "movie"], report.Categories.Select(s => s.Scenario));
        foreach (var row in report.Scenarios)
        {
            Check(row, [.. ranks.Where(r => r.Target.Scenario == row.Scenario)], dataset);
        }

        foreach (var (row, category) in report.Categories.Zip(Categories))
        {
            Check(row, [.. ranks.Where(r => r.Category == category)], dataset);
        }

        Check(report.All, ranks, dataset);
        Assert.Equal(report.Scenarios.Average(s => s.Mrr), report.Average.Mrr, 12);
        Assert.Equal(report.Scenarios.Average(s => s.Ndcg20), report.Average.Ndcg20, 12);
        Assert.Equal(report.Scenarios.Average(s => s.DebiasedHr20!.Value), report.Average.DebiasedHr20!.Value, 12);
    }

    [Fact]
    public void Coverage_is_of_the_scenarios_pool_and_of_a_categorys_shows()
    {
        var (dataset, ranks, _) = Case(seed: 3);
        var (a, b) = (new Coverage(), new Coverage());
        a.First20.UnionWith(["s0", "s1"]);
        a.First100.UnionWith(["s0", "s1", "s2"]);
        b.First20.Add("s1");
        b.First100.UnionWith(["s1", "s3"]);
        var report = ReportBuilder.Build(
            dataset, ranks, new Dictionary<string, Coverage>(StringComparer.Ordinal) { ["a"] = a, ["b"] = b }, new EvaluationOptions());

        // 200 shows; the odd half are films, which alone are in the pool of b.
        Assert.Equal((2 / 200.0, 3 / 200.0), (report.Scenarios[0].Coverage20, report.Scenarios[0].Coverage100));
        Assert.Equal((1 / 100.0, 2 / 100.0), (report.Scenarios[1].Coverage20, report.Scenarios[1].Coverage100));
        Assert.Equal((1 / 100.0, 2 / 100.0), (report.Categories[0].Coverage20, report.Categories[0].Coverage100));
        Assert.Equal((2 / 200.0, 4 / 200.0), (report.All.Coverage20, report.All.Coverage100));
        Assert.Null(report.All.DebiasedHr20);
        Assert.Null(report.All.Intervals);
    }

    [Fact]
    public void The_same_seed_draws_the_same_intervals_and_another_seed_others()
    {
        var (dataset, ranks, coverage) = Case(seed: 4);
        MetricIntervals Intervals(int seed) => ReportBuilder.Build(
            dataset, ranks, coverage, new EvaluationOptions { BootstrapDraws = 200, Seed = seed, Train = dataset }).Average.Intervals!;
        Assert.Equal(Intervals(1), Intervals(1));
        Assert.NotEqual(Intervals(1), Intervals(2));
    }

    [Fact]
    public void Intervals_contain_the_figure_and_are_as_wide_as_theory_says()
    {
        // One target a user, so the Hit Ratio is a share p of n and its standard error sqrt(p (1 - p) / n).
        var (dataset, ranks, coverage) = Case(seed: 5, users: 600, targetsOfUser: 1);
        var all = ReportBuilder.Build(dataset, ranks, coverage, new EvaluationOptions { BootstrapDraws = 2000 }).All;
        var (p, interval) = (all.Hr20, all.Intervals!.Hr20);
        Assert.InRange(p, interval.Low, interval.High);
        Assert.Equal(2 * 1.96 * Math.Sqrt(p * (1 - p) / 600), interval.High - interval.Low, 0.008);
        Assert.InRange(all.Mrr, all.Intervals.Mrr.Low, all.Intervals.Mrr.High);
    }

    [Fact]
    public void Users_are_drawn_not_targets()
    {
        // Ten targets a user that all hit or all miss: as uncertain as one target a user.
        var dataset = Dataset(200);
        RankedTarget[] ranks =
        [
            .. Enumerable.Range(0, 1000).Select(i => new RankedTarget(
                new EvaluationTarget(i / 10, i % 10, "a", "s0"), ShowCategory.Series, i / 10 % 2)),
        ];
        var coverage = new Dictionary<string, Coverage>(StringComparer.Ordinal) { ["a"] = new() };
        var interval = ReportBuilder.Build(dataset, ranks, coverage, new EvaluationOptions { BootstrapDraws = 2000 }).All.Intervals!.Hr20;
        Assert.Equal(2 * 1.96 * 0.05, interval.High - interval.Low, 0.02);
    }

    [Fact]
    public void Nineteen_of_twenty_intervals_contain_the_truth()
    {
        var random = new Random(11);
        var contained = 0;
        for (var trial = 0; trial < 200; trial++)
        {
            double[] sample = [.. Enumerable.Range(0, 80).Select(_ => random.NextDouble() < 0.3 ? 1.0 : 0.0)];
            var interval = Bootstrap.Intervals(80, 400, trial, times => [sample.Select((v, i) => v * times[i]).Sum() / 80])[0];
            contained += interval.Low <= 0.3 && interval.High >= 0.3 ? 1 : 0;
        }

        Assert.InRange(contained, 178, 199);
    }

    private static void Check(ScenarioMetrics row, IReadOnlyList<RankedTarget> of, Dataset dataset)
    {
        double Share(int k) => of.Count(r => r.Rank >= 1 && r.Rank <= k) / (double)of.Count;
        double Gain(int k) => of.Where(r => r.Rank >= 1 && r.Rank <= k).Sum(r => 1 / Math.Log2(r.Rank + 1)) / of.Count;
        double Weight(RankedTarget r) => 1.0 / Math.Max(1, dataset.Users.Count(u => u.Actions.Any(a => a.ShowId == r.Target.ShowId)));
        Assert.Equal(of.Count, row.Targets);
        Assert.Equal(
            [Share(5), Share(10), Share(20), Share(100), Gain(5), Gain(10), Gain(20), Gain(100)],
            [row.Recall5, row.Recall10, row.Hr20, row.Hr100, row.Ndcg5, row.Ndcg10, row.Ndcg20, row.Ndcg100],
            (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(of.Where(r => r.Rank > 0).Sum(r => 1.0 / r.Rank) / of.Count, row.Mrr, 12);
        Assert.Equal(of.Where(r => r.Rank is >= 1 and <= 20).Sum(Weight) / of.Sum(Weight), row.DebiasedHr20!.Value, 12);
    }

    private static (Dataset Dataset, RankedTarget[] Ranks, Dictionary<string, Coverage> Coverage) Case(
        int seed, int users = 40, int targetsOfUser = 3)
    {
        var random = new Random(seed);
        var dataset = Dataset(users);
        return (
            dataset,
            [
                .. Enumerable.Range(0, users * targetsOfUser).Select(i =>
                {
                    var show = random.Next(200);
                    return new RankedTarget(
                        new EvaluationTarget(i / targetsOfUser, i, random.Next(3) > 0 ? "a" : "b", $"s{show}"),
                        dataset.Shows[show].Category,
                        random.Next(3) == 0 ? 0 : random.Next(1, random.Next(2) == 0 ? 101 : 12));
                }),
            ],
            new(StringComparer.Ordinal) { ["a"] = new(), ["b"] = new() });
    }

    private static Dataset Dataset(int users)
    {
        var random = new Random(users);
        return new Dataset(
            [.. Enumerable.Range(0, 200).Select(i => new Show($"s{i}", Categories[i % 2]))],
            [new Scenario("a"), new Scenario("b") { PoolCategories = [ShowCategory.Movie] }],
            [
                .. Enumerable.Range(0, users).Select(u => new UserLog(
                    new UserProfile($"u{u}"),
                    [
                        .. Enumerable.Range(0, 8).Select(i => new UserAction(ActionKind.Watch, TinyWorld.Start.AddHours(i))
                        {
                            ShowId = $"s{random.Next(60)}",
                        }),
                    ])),
            ]);
    }
}
