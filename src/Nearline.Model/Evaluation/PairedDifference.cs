namespace Nearline.Model.Evaluation;

/// <summary>
/// How far one model is from another on the same targets. Users are drawn with repetition and both models are measured
/// on the same draw, so what makes a user hard for both cancels out.
/// </summary>
public sealed class PairedDifference
{
    private readonly int users;
    private readonly int scenarios;

    // For each user and scenario, the sum of differences and the targets.
    private readonly List<(int User, int Scenario, double Difference, int Targets)> parts = [];

    private PairedDifference(int users, int scenarios) => (this.users, this.scenarios) = (users, scenarios);

    /// <summary>Hit Ratio of the one minus that of the other, averaged over scenarios.</summary>
    public double Mean => Average([.. Enumerable.Repeat(1, users)]);

    /// <summary>Compares hits among the first k.</summary>
    /// <param name="users">The user of each target.</param>
    /// <param name="scenarios">The scenario of each target, from 0.</param>
    /// <param name="ranks">Runs of the one model: the rank of each target, from 1; 0: not found. Runs are averaged.</param>
    /// <param name="others">Runs of the other.</param>
    /// <param name="k">How many shows count.</param>
    /// <exception cref="ArgumentException">A run has another number of targets, or a model has no run.</exception>
    public static PairedDifference OfHits(
        IReadOnlyList<int> users, IReadOnlyList<int> scenarios, IReadOnlyList<int[]> ranks, IReadOnlyList<int[]> others, int k)
    {
        ArgumentNullException.ThrowIfNull(users);
        ArgumentNullException.ThrowIfNull(scenarios);
        Check(nameof(ranks), ranks, users.Count);
        Check(nameof(others), others, users.Count);
        double Hits(IReadOnlyList<int[]> runs, int target) => runs.Average(r => r[target] >= 1 && r[target] <= k ? 1.0 : 0.0);
        var byUser = Enumerable.Range(0, users.Count).GroupBy(t => users[t]).ToList();
        var paired = new PairedDifference(byUser.Count, scenarios.DefaultIfEmpty(-1).Max() + 1);
        foreach (var (place, targets) in byUser.Index())
        {
            paired.parts.AddRange(targets.GroupBy(t => scenarios[t]).Select(of =>
                (place, of.Key, of.Sum(t => Hits(ranks, t) - Hits(others, t)), of.Count())));
        }

        return paired;
    }

    /// <summary>The 95 % percentile bootstrap interval of <see cref="Mean"/>.</summary>
    /// <param name="draws">How often users are drawn.</param>
    /// <param name="seed">The seed of the draws.</param>
    public Interval Interval(int draws = EvaluationOptions.UsualDraws, int seed = 1) =>
        users == 0 ? default : Bootstrap.Intervals(users, draws, seed, times => [Average(times)])[0];

    private static void Check(string name, IReadOnlyList<int[]> runs, int targets)
    {
        ArgumentNullException.ThrowIfNull(runs, name);
        if (runs.Count == 0 || runs.Any(r => r.Length != targets))
        {
            throw new ArgumentException($"{name}: {runs.Count} runs of {string.Join(", ", runs.Select(r => r.Length))} targets; each must have {targets}", name);
        }
    }

    private double Average(int[] times)
    {
        var sums = new double[scenarios];
        var counts = new double[scenarios];
        foreach (var (user, scenario, difference, targets) in parts)
        {
            sums[scenario] += times[user] * difference;
            counts[scenario] += times[user] * targets;
        }

        return sums.Zip(counts).Where(s => s.Second > 0).Select(s => s.First / s.Second).DefaultIfEmpty(double.NaN).Average();
    }
}
