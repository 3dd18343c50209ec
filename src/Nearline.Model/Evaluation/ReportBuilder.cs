using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Evaluation;

/// <summary>Turns ranks into a report: groups of targets, their figures, and the figures' intervals.</summary>
internal sealed class ReportBuilder
{
    private readonly Dataset dataset;
    private readonly IReadOnlyDictionary<string, Coverage> coverage;
    private readonly EvaluationOptions options;
    private readonly string[] scenarios;
    private readonly ShowCategory[] categories;
    private readonly int all;
    private readonly double[] sums;

    // What each user adds to each group: the bootstrap draws users and adds these up.
    private readonly List<(int User, int Group, double[] Sums)> parts = [];
    private int users;

    private ReportBuilder(
        Dataset dataset,
        IReadOnlyCollection<RankedTarget> ranks,
        IReadOnlyDictionary<string, Coverage> coverage,
        EvaluationOptions options)
    {
        this.dataset = dataset;
        this.coverage = coverage;
        this.options = options;
        scenarios = [.. ranks.Select(r => r.Target.Scenario).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        categories = [.. ranks.Select(r => r.Category).Distinct().Order()];
        all = scenarios.Length + categories.Length;
        sums = new double[(all + 1) * MetricSums.Width];
    }

    private bool HasWeights => options.Train is not null;

    /// <summary>The report of ranks.</summary>
    /// <param name="dataset">The catalog and the scenarios' pools.</param>
    /// <param name="ranks">The targets, ranked.</param>
    /// <param name="coverage">What sets contained, by scenario.</param>
    /// <param name="options">Which figures.</param>
    public static EvaluationReport Build(
        Dataset dataset,
        IReadOnlyCollection<RankedTarget> ranks,
        IReadOnlyDictionary<string, Coverage> coverage,
        EvaluationOptions options)
    {
        var builder = new ReportBuilder(dataset, ranks, coverage, options);
        builder.Add(ranks);
        return builder.Report();
    }

    private void Add(IReadOnlyCollection<RankedTarget> ranks)
    {
        var popularity = options.Train is { } train ? Popularity.Count(train, null) : null;
        foreach (var ofUser in ranks.GroupBy(r => r.Target.User))
        {
            var groups = new Dictionary<int, double[]>();
            foreach (var (target, category, rank) in ofUser)
            {
                var weight = popularity is null ? 0 : 1.0 / Math.Max(1, popularity.Of(target.ShowId, null));
                int[] memberOf =
                [
                    Array.BinarySearch(scenarios, target.Scenario, StringComparer.Ordinal),
                    scenarios.Length + Array.IndexOf(categories, category),
                    all,
                ];
                foreach (var group in memberOf)
                {
                    var sum = groups.TryGetValue(group, out var known) ? known : groups[group] = new double[MetricSums.Width];
                    MetricSums.Add(sum, rank, weight);
                }
            }

            foreach (var (group, sum) in groups)
            {
                parts.Add((users, group, sum));
                AddScaled(1, sum, sums, group);
            }

            users++;
        }
    }

    private EvaluationReport Report()
    {
        var values = Figures(sums);
        var intervals = options.BootstrapDraws > 0 && users > 0
            ? Bootstrap.Intervals(users, options.BootstrapDraws, options.Seed, Redrawn)
            : null;
        var rows = new List<ScenarioMetrics>(all + 1);
        for (var group = 0; group <= all; group++)
        {
            var (name, pool, shown) = Describe(group);
            var (at20, at100) = shown.Of(pool);
            rows.Add(Row(
                name, MetricSums.Count(sums.AsSpan(group * MetricSums.Width)), group, values, intervals, at20, at100));
        }

        ScenarioMetrics[] ofScenarios = [.. rows.Take(scenarios.Length)];
        double Mean(Func<ScenarioMetrics, double> of) => ofScenarios.Length == 0 ? 0 : ofScenarios.Average(of);
        return new EvaluationReport(
            ofScenarios,
            Row(
                "average",
                ofScenarios.Sum(s => s.Targets),
                all + 1,
                values,
                intervals,
                Mean(s => s.Coverage20),
                Mean(s => s.Coverage100)))
        {
            Categories = [.. rows.Skip(scenarios.Length).Take(categories.Length)],
            All = rows[all],
        };
    }

    private (string Name, HashSet<string> Pool, Coverage Shown) Describe(int group)
    {
        if (group < scenarios.Length)
        {
            var id = scenarios[group];
            var scenario = dataset.Scenarios.FirstOrDefault(s => s.Id == id);
            return (id, Ids(s => scenario?.Admits(s) ?? true), coverage[id]);
        }

        var shown = Coverage.Union(coverage.Values);
        return group == all
            ? ("all", Ids(_ => true), shown)
            : (categories[group - scenarios.Length].ToString().ToLowerInvariant(), Ids(s => s.Category == categories[group - scenarios.Length]), shown);
    }

    private HashSet<string> Ids(Func<Show, bool> isIn) =>
        dataset.Shows.Where(isIn).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);

    /// <summary>The figures of all groups, and after them those of the average over scenarios.</summary>
    private double[] Figures(double[] of)
    {
        var values = new double[(all + 2) * MetricSums.Figures];
        for (var group = 0; group <= all; group++)
        {
            MetricSums.Divide(
                of.AsSpan(group * MetricSums.Width, MetricSums.Width), values.AsSpan(group * MetricSums.Figures, MetricSums.Figures));
        }

        for (var f = 0; f < MetricSums.Figures; f++)
        {
            // A draw may leave a small scenario without targets; the average is then over the others.
            var figure = f;
            values[((all + 1) * MetricSums.Figures) + f] = Enumerable.Range(0, scenarios.Length)
                .Select(s => values[(s * MetricSums.Figures) + figure])
                .Where(v => !double.IsNaN(v)).DefaultIfEmpty(double.NaN).Average();
        }

        return values;
    }

    private double[] Redrawn(int[] times)
    {
        var redrawn = new double[sums.Length];
        foreach (var (user, group, sum) in parts)
        {
            if (times[user] > 0)
            {
                AddScaled(times[user], sum, redrawn, group);
            }
        }

        return Figures(redrawn);
    }

    private static void AddScaled(int times, double[] sum, double[] to, int group)
    {
        var target = to.AsSpan(group * MetricSums.Width, MetricSums.Width);
        for (var i = 0; i < sum.Length; i++)
        {
            target[i] += times * sum[i];
        }
    }

    private ScenarioMetrics Row(
        string name, int targets, int group, double[] values, Interval[]? intervals, double coverage20, double coverage100)
    {
        var from = group * MetricSums.Figures;
        double Value(int figure) => double.IsNaN(values[from + figure]) ? 0 : values[from + figure];
        return new ScenarioMetrics(name, targets, Value(2), Value(3), Value(5))
        {
            Recall5 = Value(0),
            Recall10 = Value(1),
            Ndcg5 = Value(4),
            Ndcg20 = Value(6),
            Ndcg100 = Value(7),
            Mrr = Value(8),
            Coverage20 = coverage20,
            Coverage100 = coverage100,
            DebiasedHr20 = HasWeights ? Value(9) : null,
            Intervals = intervals is null ? null : IntervalsOf(intervals.AsSpan(from, MetricSums.Figures)),
        };
    }

    private MetricIntervals IntervalsOf(ReadOnlySpan<Interval> of) => new()
    {
        Recall5 = of[0],
        Recall10 = of[1],
        Hr20 = of[2],
        Hr100 = of[3],
        Ndcg5 = of[4],
        Ndcg10 = of[5],
        Ndcg20 = of[6],
        Ndcg100 = of[7],
        Mrr = of[8],
        DebiasedHr20 = HasWeights ? of[9] : null,
    };
}
