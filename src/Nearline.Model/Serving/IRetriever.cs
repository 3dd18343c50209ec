namespace Nearline.Model.Serving;

/// <summary>
/// User tower and index of one model version: what the worker calls. A seam: the worker's tests put a deterministic
/// one in its place, so that they need no training.
/// </summary>
public interface IRetriever : IDisposable
{
    /// <summary>The bundle's version.</summary>
    string ModelVersion { get; }

    /// <summary>The model's scenarios.</summary>
    IReadOnlyList<string> Scenarios { get; }

    /// <summary>Whether the model has an item of this id.</summary>
    bool Knows(string showId);

    /// <summary>
    /// Makes the retrieval sets of a batch of users: one tower pass, interest layers once a user, mixing once a
    /// scenario. A user is served in the scenarios of the history that the model has, or in all when the history
    /// names none. Synchronous and not thread-safe: one inference thread calls it.
    /// </summary>
    /// <param name="requests">The users; any number from one.</param>
    /// <param name="limit">Shows in a set at most, from one. Fewer when pool and exclusions leave fewer.</param>
    RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit);

    /// <summary>
    /// What to serve users without a set: for each scenario the most popular shows of its pool, and under the empty
    /// name those of the whole catalog; scores are popularity in training, falling.
    /// </summary>
    IReadOnlyList<ScenarioCandidates> FallbackLists(int limit);
}
