using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly DateTimeOffset Start = TinyWorld.Start;

    [Fact]
    public void Metrics_are_per_scenario_and_their_average_counts_scenarios_alike()
    {
        // The shows are ranked by number; targets at ranks 0, 3, 19, 20, 99, 100 of two scenarios.
        var shows = Enumerable.Range(0, 200).Select(i => new Show($"{i}", ShowCategory.Movie)).ToList();
        (string Scenario, int Rank)[] cases = [("a", 0), ("a", 3), ("a", 19), ("a", 20), ("b", 99), ("b", 100)];
        var dataset = new Dataset(
            shows,
            [new Scenario("a"), new Scenario("b"), new Scenario("empty")],
            [.. cases.Select((c, i) => new UserLog(new UserProfile($"u{i}"), [new UserAction(ActionKind.Login, Start), Watch($"{c.Rank}", c.Scenario)]))]);
        var targets = cases.Select((c, i) => new EvaluationTarget(i, 1, c.Scenario, $"{c.Rank}")).ToList();
        var report = Evaluator.Evaluate(new Numbers(shows), dataset, targets);

        Assert.Equal(["a", "b"], report.Scenarios.Select(s => s.Scenario));
        Assert.Equal((4, 0.75, 1.0), (report.Scenarios[0].Targets, report.Scenarios[0].Hr20, report.Scenarios[0].Hr100));
        Assert.Equal((1 + (1 / Math.Log2(5))) / 4, report.Scenarios[0].Ndcg10, 12);
        Assert.Equal((2, 0.0, 0.5), (report.Scenarios[1].Targets, report.Scenarios[1].Hr20, report.Scenarios[1].Hr100));
        Assert.Equal((6, 0.375, 0.75), (report.Average.Targets, report.Average.Hr20, report.Average.Hr100));
    }

    [Fact]
    public void Popularity_ranks_by_watchers_within_pool_and_time_and_leaves_out_what_was_watched()
    {
        var dataset = new Dataset(
            [
                new Show("film", ShowCategory.Movie), new Show("match", ShowCategory.Live), new Show("series", ShowCategory.Series),
                new Show("gone", ShowCategory.Movie) { AvailableUntil = Start.AddDays(1) },
            ],
            [new Scenario("all"), new Scenario("films") { PoolCategories = [ShowCategory.Movie] }],
            [
                User("a", ("match", 0), ("film", 1), ("match", 2), ("match", 3), ("gone", 3)),
                User("b", ("film", 1), ("gone", 2)),
                User("c", ("film", 0), ("match", 1), ("series", 400)),
            ]);
        using var popularity = PopularityBaseline.Of(dataset);
        Assert.Equal(["film", "match", "series"], Sets(popularity, new UserHistory(), Start.AddDays(3))["all"]);
        Assert.Equal(["film", "match", "gone", "series"], Sets(popularity, new UserHistory(), Start)["all"]);
        Assert.Equal(["film", "gone"], Sets(popularity, new UserHistory(), Start)["films"]);
        var watched = new UserHistory();
        watched.Apply(Watch("film", null));
        Assert.Equal(["match", "series"], Sets(popularity, watched, Start.AddDays(3))["all"]);

        using var recent = PopularityBaseline.Of(dataset, TimeSpan.FromDays(7));
        Assert.Equal("series", Sets(recent, new UserHistory(), Start)["all"][0]);
        Assert.Equal("popularity-7d", recent.ModelVersion);
    }

    [RealDataFact]
    public void Popularity_on_movielens_agrees_with_an_outside_measurement()
    {
        // Measured by another program on the same protocol; equal counts are ordered differently there.
        var split = Splits.LeaveOneOut(DatasetImport.Detect(RealData.Directory!, "ml-100k").Read());
        Assert.Equal(943, split.Test.Count);
        using var popularity = PopularityBaseline.Of(split.TrainDataset);
        var report = Evaluator.Evaluate(popularity, split.Dataset, split.Test);
        double Overall(Func<ScenarioMetrics, double> of) => report.Scenarios.Sum(s => s.Targets * of(s)) / 943;
        Assert.Equal(0.1225, Overall(s => s.Hr20), 2e-3);
        Assert.Equal(0.3282, Overall(s => s.Hr100), 4e-3);
        Assert.Equal(0.0399, Overall(s => s.Ndcg10), 2e-3);
        Assert.Equal(0.1166, report.Average.Hr20, 2e-3);
    }

    private static UserLog User(string id, params (string Show, int Hours)[] watches) =>
        new(new UserProfile(id), [.. watches.Select(w => Watch(w.Show, null) with { Time = Start.AddHours(w.Hours) })]);

    private static UserAction Watch(string show, string? scenario) =>
        new(ActionKind.Watch, Start) { ShowId = show, Scenario = scenario };

    private static Dictionary<string, string[]> Sets(PopularityBaseline popularity, UserHistory history, DateTimeOffset now) =>
        popularity.Retrieve([new RetrievalRequest("u", history, now)], 10).Users[0]
            .ToDictionary(s => s.Scenario, s => s.Shows.Select(x => x.ShowId).ToArray());

    /// <summary>Ranks all shows in their order, for every scenario asked for.</summary>
    private sealed class Numbers(List<Show> shows) : IRetriever
    {
        public string ModelVersion => "numbers";

        public IReadOnlyList<string> Scenarios => ["a", "b", "empty"];

        public bool Knows(string showId) => true;

        public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit) => new(
            [
                .. requests.Select(r => (IReadOnlyList<ScenarioCandidates>)
                    [.. r.History.Scenarios.Select(s => new ScenarioCandidates(s, [.. shows.Take(limit).Select(x => new ScoredShow(x.Id, x.Category, 0, 0))]))]),
            ],
            default,
            default);

        public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit) => [];

        public void Dispose()
        {
        }
    }
}
