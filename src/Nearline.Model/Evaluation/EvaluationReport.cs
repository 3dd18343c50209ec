namespace Nearline.Model.Evaluation;

/// <summary>How well sets contained what was watched next. Definitions: docs/evaluation.md.</summary>
/// <param name="Scenario">
/// The scenario, or in <see cref="EvaluationReport.Categories"/> the category; "average" for the mean over scenarios,
/// "all" for all targets alike.
/// </param>
/// <param name="Targets">Watches to predict.</param>
/// <param name="Hr20">Hit Ratio at 20: the share of targets among the first 20 shows of their set.</param>
/// <param name="Hr100">Hit Ratio at 100.</param>
/// <param name="Ndcg10">NDCG at 10: 1 / log2(rank + 1) within the first 10, averaged.</param>
public sealed record ScenarioMetrics(string Scenario, int Targets, double Hr20, double Hr100, double Ndcg10)
{
    /// <summary>Recall at 5. A set has one target, so recall is the Hit Ratio.</summary>
    public double Recall5 { get; init; }

    /// <summary>Recall at 10.</summary>
    public double Recall10 { get; init; }

    /// <summary>Recall at 20, the same as <see cref="Hr20"/>.</summary>
    public double Recall20 => Hr20;

    /// <summary>Recall at 100, the same as <see cref="Hr100"/>.</summary>
    public double Recall100 => Hr100;

    /// <summary>NDCG at 5.</summary>
    public double Ndcg5 { get; init; }

    /// <summary>NDCG at 20.</summary>
    public double Ndcg20 { get; init; }

    /// <summary>NDCG at 100.</summary>
    public double Ndcg100 { get; init; }

    /// <summary>Mean reciprocal rank; a target that is not among the first 100 counts 0.</summary>
    public double Mrr { get; init; }

    /// <summary>The share of the pool that is among the first 20 shows of anybody's set.</summary>
    public double Coverage20 { get; init; }

    /// <summary>The share of the pool that is in anybody's set of 100.</summary>
    public double Coverage100 { get; init; }

    /// <summary>
    /// Hit Ratio at 20 with each target weighted by 1 / the users who watched it in training (at least 1), divided by
    /// the sum of the weights; null where the training part was not given.
    /// </summary>
    public double? DebiasedHr20 { get; init; }

    /// <summary>How sure the figures are; null where no intervals were asked for.</summary>
    public MetricIntervals? Intervals { get; init; }
}

/// <summary>An evaluation.</summary>
/// <param name="Scenarios">Each scenario that has targets.</param>
/// <param name="Average">The mean over those, each counting the same, as the paper reports it.</param>
public sealed record EvaluationReport(IReadOnlyList<ScenarioMetrics> Scenarios, ScenarioMetrics Average)
{
    /// <summary>Each category that has targets, "series", "movie" or "live": the targets that are shows of it.</summary>
    public IReadOnlyList<ScenarioMetrics> Categories { get; init; } = [];

    /// <summary>Where each target came: what the figures were made of. By user, a user's by time.</summary>
    public IReadOnlyList<RankedTarget> Ranks { get; init; } = [];

    /// <summary>All targets, each counting the same.</summary>
    public ScenarioMetrics All { get; init; } = new("all", 0, 0, 0, 0);
}
