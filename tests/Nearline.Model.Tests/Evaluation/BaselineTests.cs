using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Xunit.Abstractions;

namespace Nearline.Model.Tests.Evaluation;

[Collection(TorchTests.Name)]
public sealed class BaselineTests(ITestOutputHelper output)
{
    private const int Shows = 9;

    [Fact]
    public void Neighbours_score_as_a_plain_reading_says()
    {
        var dataset = Random(users: 30);
        using var knn = ItemKnn.Of(dataset, neighbours: 3, history: 2);
        var x = Matrix(dataset);
        var counts = Enumerable.Range(0, Shows).Select(i => x.Sum(u => u[i])).ToArray();
        double Cosine(int i, int j) => x.Sum(u => u[i] * u[j]) / Math.Sqrt(counts[i] * counts[j]);

        // Equally near neighbours: the more watched first, then the catalog's order.
        int[] Nearest(int i) =>
        [
            .. Enumerable.Range(0, Shows).Where(j => j != i && Cosine(i, j) > 0)
                .OrderByDescending(j => (float)Cosine(i, j)).ThenByDescending(j => counts[j]).ThenBy(j => j).Take(3),
        ];
        CheckScores(knn, dataset, last: 2, (from, to) => Nearest(to).Contains(from) ? Cosine(from, to) : 0);
    }

    [Fact]
    public void Ease_scores_as_a_direct_inverse_says()
    {
        const double Lambda = 1.5;
        var dataset = Random(users: 30);
        using var ease = Ease.Of(dataset, Lambda, history: 4);
        var x = Matrix(dataset);
        var gram = new double[Shows, Shows];
        for (var i = 0; i < Shows; i++)
        {
            for (var j = 0; j < Shows; j++)
            {
                gram[i, j] = x.Sum(u => u[i] * u[j]) + (i == j ? Lambda : 0);
            }
        }

        var p = Inverse(gram);
        CheckScores(ease, dataset, last: 4, (from, to) => from == to ? 0 : -p[from, to] / p[to, to]);
    }

    [Fact]
    public void Content_neighbours_score_as_cosines_of_attributes_say()
    {
        string[][] tags = [["a", "b"], ["a"], ["B", "c"], ["c"], ["a", "c"], [], ["b"], ["a", "b", "c"], ["b", "c"], ["a"]];
        var dataset = Random(users: 30);
        dataset = dataset with { Shows = [.. dataset.Shows.Select((s, i) => s with { Category = ShowCategory.Movie, Tags = tags[i], Title = "" })] };
        using var knn = ContentKnn.Of(dataset, history: 3);

        // The category is common to all and so says nothing; a show's tags share its weight and are worth how rare they are.
        double Weight(int show, string tag) => tags[show].Contains(tag, StringComparer.OrdinalIgnoreCase)
            ? Math.Log((1.0 + tags.Length) / (1 + tags.Count(t => t.Contains(tag, StringComparer.OrdinalIgnoreCase)))) / Math.Sqrt(tags[show].Length)
            : 0;
        double[] Vector(int show) => [.. "abc".Select(t => Weight(show, $"{t}"))];
        double Inner(int i, int j) => Vector(i).Zip(Vector(j), (x, y) => x * y).Sum();
        double Cosine(int i, int j) => Inner(i, j) == 0 ? 0 : Inner(i, j) / Math.Sqrt(Inner(i, i) * Inner(j, j));
        CheckScores(knn, dataset, last: 3, Cosine, unwatched: Cosine);
    }

    [Fact]
    public void Sets_keep_to_the_pool_the_time_and_the_unwatched_unless_all_is_asked_for()
    {
        var dataset = Random(users: 30) with
        {
            Scenarios = [new Scenario("all"), new Scenario("films") { PoolCategories = [ShowCategory.Movie] }],
        };
        dataset = dataset with { Shows = [.. dataset.Shows.Select((s, i) => i == 4 ? s with { AvailableUntil = TinyWorld.Start } : s)] };
        using var knn = ItemKnn.Of(dataset);
        var history = TinyWorld.HistoryOf(dataset.Users[0]);
        string[] watched = [.. history.WatchedShows()];
        Assert.NotEmpty(watched);
        var request = new RetrievalRequest("u", history, TinyWorld.Start.AddDays(1));
        var sets = knn.Retrieve([request, request with { IncludeWatched = true }], 20).Users;
        string[] open = [.. dataset.Shows.Where((_, i) => i != 4).Select(s => s.Id)];
        string[] films = [.. dataset.Shows.Where((s, i) => i != 4 && s.Category == ShowCategory.Movie).Select(s => s.Id)];
        Assert.Equal(["all", "films"], sets[0].Select(s => s.Scenario));
        Assert.Equal(open.Except(watched).Order(), Ids(sets[0][0]).Order());
        Assert.Equal(films.Except(watched).Order(), Ids(sets[0][1]).Order());
        Assert.Equal(open.Order(), Ids(sets[1][0]).Order());
        Assert.Equal(Shows + 1, knn.FallbackLists(20)[0].Shows.Count);
    }

    [Fact]
    public void Wrong_settings_are_refused_by_name()
    {
        var dataset = Random(users: 3);
        Assert.Equal("neighbours", Assert.Throws<ArgumentOutOfRangeException>(() => ItemKnn.Of(dataset, neighbours: 0)).ParamName);
        Assert.Equal("lambda", Assert.Throws<ArgumentOutOfRangeException>(() => Ease.Of(dataset, lambda: 0)).ParamName);
        Assert.Contains("20001", Assert.Throws<ArgumentException>(() => Ease.CheckSize(20_001)).Message, StringComparison.Ordinal);
        Ease.CheckSize(20_000);
    }

    [RealDataFact]
    public void Baselines_on_movielens_come_near_an_outside_measurement()
    {
        // Measured by another program on the same protocol; the standard error of a figure is 0.015.
        var split = Splits.LeaveOneOut(DatasetImport.Detect(RealData.Directory!, "ml-100k").Read());
        foreach (var (expected, make) in new (double, Func<ScoringBaseline>)[]
        {
            (0.2017, () => ItemKnn.Of(split.TrainDataset)), (0.2238, () => Ease.Of(split.TrainDataset)),
        })
        {
            using var baseline = make();
            var report = Evaluator.Evaluate(baseline, split.Dataset, split.Test);
            output.WriteLine($"{baseline.ModelVersion}: {report.Average} all {report.All}");
            Assert.Equal(expected, report.Average.Hr20, 0.015);
        }
    }

    private static string[] Ids(ScenarioCandidates set) => [.. set.Shows.Select(s => s.ShowId)];

    private static void CheckScores(
        ScoringBaseline baseline, Dataset dataset, int last, Func<int, int, double> weight, Func<int, int, double>? unwatched = null)
    {
        foreach (var log in dataset.Users)
        {
            var history = TinyWorld.HistoryOf(log);
            int[] watched = [.. history.Sequence(BehaviourKind.Watch).Select(b => int.Parse(b.ShowId, System.Globalization.CultureInfo.InvariantCulture))];
            var set = baseline.Retrieve([new RetrievalRequest("u", history, TinyWorld.Start) { IncludeWatched = true }], 20).Users[0][0];
            Assert.Equal(Shows + 1, set.Shows.Count);
            Assert.Equal(set.Shows.Select(s => s.Score).OrderDescending(), set.Shows.Select(s => s.Score));
            foreach (var show in set.Shows.Where(s => s.ShowId != "9"))
            {
                var to = int.Parse(show.ShowId, System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(watched.TakeLast(last).Sum(from => weight(from, to)), show.Score, 1e-4);
            }

            // Nobody watched show 9.
            Assert.Equal(
                watched.TakeLast(last).Sum(from => unwatched?.Invoke(from, 9) ?? 0), set.Shows.Single(s => s.ShowId == "9").Score, 1e-4);
        }
    }

    private static double[][] Matrix(Dataset dataset) =>
    [
        .. dataset.Users.Select(u => Enumerable.Range(0, Shows).Select(i => u.Actions.Any(a => a.ShowId == $"{i}") ? 1.0 : 0).ToArray()),
    ];

    private static double[,] Inverse(double[,] a)
    {
        var n = a.GetLength(0);
        var m = new double[n, 2 * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                m[i, j] = a[i, j];
            }

            m[i, n + i] = 1;
        }

        for (var k = 0; k < n; k++)
        {
            var pivot = m[k, k];
            for (var j = 0; j < 2 * n; j++)
            {
                m[k, j] /= pivot;
            }

            for (var i = 0; i < n; i++)
            {
                var factor = m[i, k];
                for (var j = 0; i != k && j < 2 * n; j++)
                {
                    m[i, j] -= factor * m[k, j];
                }
            }
        }

        var inverse = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                inverse[i, j] = m[i, n + j];
            }
        }

        return inverse;
    }

    /// <summary>Nine shows that are watched and a tenth that is not.</summary>
    private static Dataset Random(int users)
    {
        var random = new Random(users);
        return new Dataset(
            [.. Enumerable.Range(0, Shows + 1).Select(i => new Show($"{i}", i % 3 == 0 ? ShowCategory.Movie : ShowCategory.Series))],
            [new Scenario("all")],
            [
                .. Enumerable.Range(0, users).Select(u => new UserLog(
                    new UserProfile($"u{u}"),
                    [
                        .. Enumerable.Range(0, random.Next(1, 7)).Select(i => new UserAction(ActionKind.Watch, TinyWorld.Start.AddMinutes(-i))
                        {
                            ShowId = $"{(int)(Shows * random.NextDouble() * random.NextDouble())}",
                        }).Reverse(),
                    ])),
            ]);
    }
}
