using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Serving;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Evaluates a retriever the way it serves: for each target the history is folded up to just before it, the time is
/// that of the history's last event, and the set is what would have been stored: of the scenario's pool, without
/// watched shows.
/// </summary>
public static class Evaluator
{
    private const int Limit = 100;
    private const int BatchSize = 128;

    /// <summary>Evaluates.</summary>
    /// <param name="retriever">What makes the sets.</param>
    /// <param name="dataset">The data set that the targets point into.</param>
    /// <param name="targets">What to predict.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public static EvaluationReport Evaluate(
        IRetriever retriever, Dataset dataset, IReadOnlyList<EvaluationTarget> targets, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(retriever);
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(targets);
        var sums = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var batch in Requests(dataset, targets).Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sets = retriever.Retrieve([.. batch.Select(b => b.Request)], Limit).Users;
            for (var i = 0; i < batch.Length; i++)
            {
                var target = batch[i].Target;
                var sum = sums.TryGetValue(target.Scenario, out var known) ? known : sums[target.Scenario] = new double[4];
                var set = sets[i].FirstOrDefault(s => s.Scenario == target.Scenario);
                Count(sum, RankOf(set, target.ShowId));
            }
        }

        ScenarioMetrics[] scenarios =
        [
            .. sums.Select(s => new ScenarioMetrics(
                s.Key, (int)s.Value[0], s.Value[1] / s.Value[0], s.Value[2] / s.Value[0], s.Value[3] / s.Value[0])),
        ];
        double Mean(Func<ScenarioMetrics, double> of) => scenarios.Length == 0 ? 0 : scenarios.Average(of);
        return new EvaluationReport(
            scenarios,
            new ScenarioMetrics("average", scenarios.Sum(s => s.Targets), Mean(s => s.Hr20), Mean(s => s.Hr100), Mean(s => s.Ndcg10)));
    }

    /// <summary>A request for each target, in the order of users and actions.</summary>
    internal static IEnumerable<(EvaluationTarget Target, RetrievalRequest Request)> Requests(
        Dataset dataset, IReadOnlyList<EvaluationTarget> targets)
    {
        foreach (var ofUser in targets.GroupBy(t => t.User))
        {
            var log = dataset.Users[ofUser.Key];
            var history = UserHistories.Start(log.User);
            var next = 0;
            foreach (var target in ofUser.OrderBy(t => t.Action))
            {
                for (; next < target.Action; next++)
                {
                    history.Apply(log.Actions[next]);
                }

                // A copy that later actions do not change, asking for the target's scenario only.
                var copy = UserHistory.Restore(
                    history.Behaviours,
                    history.Attributes,
                    [target.Scenario],
                    history.OlderWatched,
                    history.NextOrder,
                    history.LastEventTime,
                    history.LastDevice,
                    history.DeletedAt);
                yield return (target, new RetrievalRequest(log.User.Id, copy, history.LastEventTime ?? log.Actions[target.Action].Time));
            }
        }
    }

    private static int RankOf(ScenarioCandidates? set, string showId)
    {
        for (var rank = 0; rank < (set?.Shows.Count ?? 0); rank++)
        {
            if (set!.Shows[rank].ShowId == showId)
            {
                return rank;
            }
        }

        return int.MaxValue;
    }

    private static void Count(double[] sum, int rank)
    {
        sum[0]++;
        sum[1] += rank < 20 ? 1 : 0;
        sum[2] += rank < 100 ? 1 : 0;
        sum[3] += rank < 10 ? 1 / Math.Log2(rank + 2) : 0;
    }
}
