using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Serving;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Evaluates a retriever the way it serves: for each target the history is folded up to just before it, the time is
/// that of the history's last event, and the set is what would have been stored: of the scenario's pool, without
/// watched shows unless the options say otherwise. One pass ranks; all figures come from the ranks.
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
        IRetriever retriever, Dataset dataset, IReadOnlyList<EvaluationTarget> targets, CancellationToken cancellationToken = default) =>
        Evaluate(retriever, dataset, targets, new EvaluationOptions(), cancellationToken);

    /// <summary>Evaluates, with intervals and debiased figures where the options ask for them.</summary>
    /// <param name="retriever">What makes the sets.</param>
    /// <param name="dataset">The data set that the targets point into.</param>
    /// <param name="targets">What to predict.</param>
    /// <param name="options">Which figures, and whether sets leave out what was watched.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public static EvaluationReport Evaluate(
        IRetriever retriever,
        Dataset dataset,
        IReadOnlyList<EvaluationTarget> targets,
        EvaluationOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(retriever);
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.BootstrapDraws, nameof(options));
        var categories = dataset.Shows.ToDictionary(s => s.Id, s => s.Category, StringComparer.Ordinal);
        var coverage = new Dictionary<string, Coverage>(StringComparer.Ordinal);
        var ranks = new List<RankedTarget>(targets.Count);
        foreach (var batch in Requests(dataset, targets).Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var requests = batch.Select(b => b.Request with { IncludeWatched = !options.LeaveOutWatched });
            var sets = retriever.Retrieve([.. requests], Limit).Users;
            for (var i = 0; i < batch.Length; i++)
            {
                var target = batch[i].Target;
                var set = sets[i].FirstOrDefault(s => s.Scenario == target.Scenario)?.Shows ?? [];
                if (!coverage.TryGetValue(target.Scenario, out var covered))
                {
                    coverage[target.Scenario] = covered = new Coverage();
                }

                ranks.Add(new RankedTarget(target, categories[target.ShowId], Read(set, target.ShowId, covered)));
            }
        }

        return ReportBuilder.Build(dataset, ranks, coverage, options) with { Ranks = ranks };
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

    private static int Read(IReadOnlyList<ScoredShow> set, string showId, Coverage covered)
    {
        var found = 0;
        for (var rank = 1; rank <= set.Count; rank++)
        {
            var id = set[rank - 1].ShowId;
            found = found == 0 && id == showId ? rank : found;
            covered.First100.Add(id);
            if (rank <= 20)
            {
                covered.First20.Add(id);
            }
        }

        return found;
    }
}
