using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Training;

namespace Nearline.Model.Evaluation;

/// <summary>The ways to split.</summary>
public static class Splits
{
    /// <summary>
    /// Leave-one-out: of a user's unfamiliar watches the last is the test target, the one before the validation target;
    /// what precedes the latter trains. Users with fewer than three keep everything for training.
    /// </summary>
    public static Split LeaveOneOut(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var train = new int[dataset.Users.Count];
        var validation = new List<EvaluationTarget>();
        var test = new List<EvaluationTarget>();
        for (var user = 0; user < train.Length; user++)
        {
            var log = dataset.Users[user];
            var watches = UnfamiliarWatches.Of(log);
            if (watches.Count < 3)
            {
                train[user] = log.Actions.Count;
                continue;
            }

            train[user] = watches[^2];
            Add(validation, dataset, user, watches[^2]);
            Add(test, dataset, user, watches[^1]);
        }

        return new Split(dataset, train, validation, test);
    }

    /// <summary>
    /// The paper's split (section 5.1.1): the last day (UTC) is the test set. The day before it is the validation set;
    /// what precedes that trains.
    /// </summary>
    /// <exception cref="ArgumentException">The data set has no actions.</exception>
    public static Split LastDay(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (!dataset.Users.Any(u => u.Actions.Count > 0))
        {
            throw new ArgumentException("users: none has an action; there is no last day", nameof(dataset));
        }

        var last = dataset.Users.SelectMany(u => u.Actions).Max(a => a.Time).UtcDateTime.Date;
        var testFrom = new DateTimeOffset(last, TimeSpan.Zero);
        var validationFrom = testFrom.AddDays(-1);
        var train = new int[dataset.Users.Count];
        var validation = new List<EvaluationTarget>();
        var test = new List<EvaluationTarget>();
        for (var user = 0; user < train.Length; user++)
        {
            var log = dataset.Users[user];
            while (train[user] < log.Actions.Count && log.Actions[train[user]].Time < validationFrom)
            {
                train[user]++;
            }

            foreach (var watch in UnfamiliarWatches.Of(log).Where(w => log.Actions[w].Time >= validationFrom))
            {
                Add(log.Actions[watch].Time >= testFrom ? test : validation, dataset, user, watch);
            }
        }

        return new Split(dataset, train, validation, test);
    }

    /// <summary>
    /// Leave-one-out over shows that came after training, in the way of TIGER's cold-start experiment (Rajput et al.,
    /// "Recommender systems with generative retrieval", NeurIPS 2023): a random part of the catalog and all that was done
    /// with it is taken from the training part, and the targets are the watches of these shows.
    /// </summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="share">The part of the catalog, above 0 and below 1.</param>
    /// <param name="seed">Of the draw.</param>
    public static Split ColdStart(Dataset dataset, double share = 0.05, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (share is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "must be above 0 and below 1");
        }

        string[] ids = [.. dataset.Shows.Select(s => s.Id).Order(StringComparer.Ordinal)];
        new Random(seed).Shuffle(ids);
        var cold = ids.Take((int)Math.Ceiling(share * ids.Length)).ToHashSet(StringComparer.Ordinal);
        var split = LeaveOneOut(dataset);
        EvaluationTarget[] Cold(IEnumerable<EvaluationTarget> targets) => [.. targets.Where(t => cold.Contains(t.ShowId))];
        return new Split(dataset, split.TrainActions, Cold(split.Validation), Cold(split.Test), cold)
        {
            EpochTargets = [.. split.Validation.Where(t => !cold.Contains(t.ShowId))],
        };
    }

    /// <summary>Everything trains, nothing is held out: for the model that goes live once its settings are chosen.</summary>
    public static Split Everything(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return new Split(dataset, [.. dataset.Users.Select(u => u.Actions.Count)], [], []);
    }

    private static void Add(List<EvaluationTarget> targets, Dataset dataset, int user, int watch)
    {
        var log = dataset.Users[user];
        string[] all = [.. dataset.Scenarios.Select(s => s.Id)];
        IReadOnlyList<string> served = log.User.Scenarios;
        for (var i = 0; i < watch; i++)
        {
            served = log.Actions[i] is { Kind: ActionKind.ProfileUpdate, Scenarios: { Count: > 0 } given } ? given : served;
        }

        targets.AddRange(UnfamiliarWatches.ScenariosOf(log.Actions[watch], served, all)
            .Select(scenario => new EvaluationTarget(user, watch, scenario, log.Actions[watch].ShowId!)));
    }
}
