using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Pipeline;

/// <summary>What the models said about a batch.</summary>
/// <param name="ModelVersion">Which one is active.</param>
/// <param name="CatalogPosition">With how much of the catalog.</param>
/// <param name="Sets">Sets by user, for those whose sets were to be built.</param>
/// <param name="UnknownShows">Events about shows that the active model does not have.</param>
/// <param name="Failures">Users for whom the active model fails.</param>
internal sealed record RetrievalOutcome(
    string ModelVersion,
    ulong CatalogPosition,
    IReadOnlyDictionary<UserWork, UserSets> Sets,
    IReadOnlyList<(UserWork Work, Events.UserEventRecord Event)> UnknownShows,
    IReadOnlyList<BatchFailure> Failures)
{
    /// <summary>What the user tower took.</summary>
    public TimeSpan TowerTime { get; init; }

    /// <summary>What the index search took.</summary>
    public TimeSpan IndexTime { get; init; }
}

/// <summary>What was made for one user.</summary>
/// <param name="ModelVersion">By which model the default sets were made.</param>
/// <param name="Default">The default sets, by scenario.</param>
/// <param name="Variants">The sets of experiments that the user is in.</param>
internal sealed record UserSets(
    string ModelVersion, IReadOnlyList<ScenarioCandidates> Default, IReadOnlyList<ExperimentSets> Variants);

/// <summary>One experiment's sets of a user.</summary>
/// <param name="Variant">The experiment.</param>
/// <param name="ModelVersion">By which model.</param>
/// <param name="Sets">By scenario.</param>
internal sealed record ExperimentSets(string Variant, string ModelVersion, IReadOnlyList<ScenarioCandidates> Sets);

/// <summary>
/// Runs the models over a batch, on the inference thread: the batch is split by the model that each user's sets are to be
/// of. When the active model throws, each user is tried alone: a user who fails again is given up, unless the model
/// fails for an empty history as well; then it is the model that is broken. Where a model throws that is only tried, a
/// canary's users are served by the active one, and an experiment's have no sets of it.
/// </summary>
internal sealed class Retrieval(
    ModelHost models, WorkerMetrics metrics, int setSize, TimeProvider clock, ILogger logger)
{
    private const string FailureReason = "retrieval";

    // Of the run at hand: there is one at a time, on the inference thread.
    private TimeSpan towerTime;
    private TimeSpan indexTime;

    /// <exception cref="ModelFailedException">The active model fails for every user.</exception>
    public Task<RetrievalOutcome> RunAsync(IReadOnlyList<UserWork> work, CancellationToken cancellationToken) =>
        models.RunOnAllAsync(set => Run(set, work), cancellationToken);

    private RetrievalOutcome Run(ModelSet set, IReadOnlyList<UserWork> work)
    {
        (towerTime, indexTime) = (TimeSpan.Zero, TimeSpan.Zero);
        var (plan, active) = (set.Plan, set.Active);
        var failures = new List<BatchFailure>();
        var wanting = work.Where(w => w.NeedsSets).ToList();
        var canary = wanting.Where(w => plan.VersionFor(w.UserId) != plan.Active).ToList();
        var byCanary = canary.Count == 0 ? [] : Try(set.Of(plan.Rollout.Canary!.Version), "the canary", canary);
        var byActive = wanting.Where(w => !byCanary.ContainsKey(w)).ToList();
        var found = new Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>>();
        if (byActive.Count > 0)
        {
            try
            {
                Retrieve(active, byActive, found);
            }
            catch (Exception e)
            {
                RetrieveOneByOne(active, byActive, found, failures, e);
            }
        }

        var variants = wanting.ToDictionary(w => w, _ => new List<ExperimentSets>());
        foreach (var experiment in plan.Rollout.Experiments)
        {
            var users = wanting.Where(w => plan.ExperimentsOf(w.UserId).Contains(experiment)).ToList();
            var sets = users.Count == 0 ? [] : Try(set.Of(experiment.Version), $"experiment {experiment.Name}", users);
            foreach (var (user, candidates) in sets)
            {
                variants[user].Add(new ExperimentSets(experiment.Name, experiment.Version, candidates));
            }
        }

        var made = new Dictionary<UserWork, UserSets>();
        foreach (var (user, candidates) in found)
        {
            made[user] = new UserSets(active.ModelVersion, candidates, variants[user]);
        }

        foreach (var (user, candidates) in byCanary)
        {
            made[user] = new UserSets(plan.VersionFor(user.UserId), candidates, variants[user]);
        }

        var unknown = (
            from w in work
            from e in w.Events
            where e.Outcome == State.FoldOutcome.Applied && e.Event.Action.ShowId is { } showId && !active.Knows(showId)
            select (w, e.Event)).ToList();
        return new RetrievalOutcome(active.ModelVersion, models.CatalogPosition, made, unknown, failures)
        {
            TowerTime = towerTime,
            IndexTime = indexTime,
        };
    }

    private void Retrieve(
        IRetriever retriever, List<UserWork> work, Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>> sets)
    {
        var now = clock.GetUtcNow();
        var batch = retriever.Retrieve(work.ConvertAll(w => new RetrievalRequest(w.UserId, w.User.History, TimeOf(w, now))), setSize);
        for (var i = 0; i < work.Count; i++)
        {
            sets[work[i]] = batch.Users[i];
        }

        metrics.Retrieved(batch.TowerTime, batch.IndexTime);
        towerTime += batch.TowerTime;
        indexTime += batch.IndexTime;
    }

    /// <summary>The sets of those for whom a model does not fail that is only tried.</summary>
    private Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>> Try(IRetriever retriever, string role, List<UserWork> work)
    {
        var sets = new Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>>();
        try
        {
            Retrieve(retriever, work, sets);
        }
        catch (Exception e)
        {
            metrics.Retry(FailureReason, e.GetType().Name);
            foreach (var user in work)
            {
                try
                {
                    Retrieve(retriever, [user], sets);
                }
                catch (Exception)
                {
                    // Named below with what it was at first.
                }
            }

            logger.TriedModelFails(retriever.ModelVersion, role, work.Count - sets.Count, e.Message);
        }

        return sets;
    }

    /// <summary>
    /// A late event must not set the clock back behind what the user has already done. A refresh asks for a set for
    /// the present.
    /// </summary>
    private static DateTimeOffset TimeOf(UserWork work, DateTimeOffset now)
    {
        var time = work.Trigger?.Time ?? now;
        return work.User.History.LastEventTime is { } last && last > time ? last : time;
    }

    private void RetrieveOneByOne(
        IRetriever retriever,
        List<UserWork> work,
        Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>> sets,
        List<BatchFailure> failures,
        Exception cause)
    {
        metrics.Retry(FailureReason, cause.GetType().Name);
        try
        {
            retriever.Retrieve([new RetrievalRequest("", new UserHistory(), clock.GetUtcNow())], setSize);
        }
        catch (Exception e)
        {
            throw new ModelFailedException(retriever.ModelVersion, e);
        }

        foreach (var user in work)
        {
            try
            {
                Retrieve(retriever, [user], sets);
            }
            catch (Exception e)
            {
                failures.Add(new BatchFailure(
                    user, FailureReason, $"retrieval: model {retriever.ModelVersion} fails for user '{user.UserId}': {e.Message}", 2));
            }
        }
    }
}
