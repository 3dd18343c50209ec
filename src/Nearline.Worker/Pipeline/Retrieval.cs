using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Pipeline;

/// <summary>What the model said about a batch.</summary>
/// <param name="ModelVersion">Which model.</param>
/// <param name="CatalogPosition">With how much of the catalog.</param>
/// <param name="Sets">Sets by user, for those whose sets were to be built.</param>
/// <param name="UnknownShows">Events about shows that the model does not have.</param>
/// <param name="Failures">Users for whom the model fails.</param>
internal sealed record RetrievalOutcome(
    string ModelVersion,
    ulong CatalogPosition,
    IReadOnlyDictionary<UserWork, IReadOnlyList<ScenarioCandidates>> Sets,
    IReadOnlyList<(UserWork Work, Events.UserEventRecord Event)> UnknownShows,
    IReadOnlyList<BatchFailure> Failures)
{
    /// <summary>What the user tower took.</summary>
    public TimeSpan TowerTime { get; init; }

    /// <summary>What the index search took.</summary>
    public TimeSpan IndexTime { get; init; }
}

/// <summary>
/// Runs the model over a batch, on the inference thread. When it throws, each user is tried alone: a user who fails
/// again is given up, unless the model fails for an empty history as well; then it is the model that is broken.
/// </summary>
internal sealed class Retrieval(ModelHost models, WorkerMetrics metrics, int setSize, TimeProvider clock)
{
    private const string FailureReason = "retrieval";

    // Of the run at hand: there is one at a time, on the inference thread.
    private TimeSpan towerTime;
    private TimeSpan indexTime;

    /// <exception cref="ModelFailedException">The model fails for every user.</exception>
    public Task<RetrievalOutcome> RunAsync(IReadOnlyList<UserWork> work, CancellationToken cancellationToken) =>
        models.RunAsync(retriever => Run(retriever, work), cancellationToken);

    private RetrievalOutcome Run(IRetriever retriever, IReadOnlyList<UserWork> work)
    {
        (towerTime, indexTime) = (TimeSpan.Zero, TimeSpan.Zero);
        var sets = new Dictionary<UserWork, IReadOnlyList<ScenarioCandidates>>();
        var failures = new List<BatchFailure>();
        var wanting = work.Where(w => w.NeedsSets).ToList();
        if (wanting.Count > 0)
        {
            try
            {
                Retrieve(retriever, wanting, sets);
            }
            catch (Exception e)
            {
                RetrieveOneByOne(retriever, wanting, sets, failures, e);
            }
        }

        var unknown = (
            from w in work
            from e in w.Events
            where e.Outcome == State.FoldOutcome.Applied && e.Event.Action.ShowId is { } showId && !retriever.Knows(showId)
            select (w, e.Event)).ToList();
        return new RetrievalOutcome(retriever.ModelVersion, models.CatalogPosition, sets, unknown, failures)
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
