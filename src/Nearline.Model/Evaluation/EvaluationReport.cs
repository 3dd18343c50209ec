namespace Nearline.Model.Evaluation;

/// <summary>How well sets contained what was watched next.</summary>
/// <param name="Scenario">The scenario; "average" for the mean over scenarios.</param>
/// <param name="Targets">Watches to predict.</param>
/// <param name="Hr20">Hit Ratio at 20: the share of targets among the first 20 shows of their set.</param>
/// <param name="Hr100">Hit Ratio at 100.</param>
/// <param name="Ndcg10">NDCG at 10: 1 / log2(rank + 1) within the first 10, averaged.</param>
public sealed record ScenarioMetrics(string Scenario, int Targets, double Hr20, double Hr100, double Ndcg10);

/// <summary>An evaluation.</summary>
/// <param name="Scenarios">Each scenario that has targets.</param>
/// <param name="Average">The mean over those, each counting the same, as the paper reports it.</param>
public sealed record EvaluationReport(IReadOnlyList<ScenarioMetrics> Scenarios, ScenarioMetrics Average);
