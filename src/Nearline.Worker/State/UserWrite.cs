using Nearline.Contracts.Storage.V1;

namespace Nearline.Worker.State;

/// <summary>What is to be stored of one user in one step.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ExpectedRevision">The first nine bytes of the state that was read; empty when there was none.</param>
/// <param name="State">The new state.</param>
/// <param name="Watched">What the user has watched; null: nothing.</param>
/// <param name="Sets">New sets.</param>
/// <param name="Removed">Sets that are to be deleted, by scenario and experiment.</param>
/// <param name="Announcement">What to tell those who wait for a renewal; empty: nothing.</param>
internal sealed record UserWrite(
    string UserId,
    byte[] ExpectedRevision,
    UserState State,
    WatchedShows? Watched,
    IReadOnlyList<StoredSet> Sets,
    IReadOnlyList<(string Scenario, string Variant)> Removed,
    string Announcement);

/// <summary>One set of a user.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Variant">The experiment that it is for; empty: the default set.</param>
/// <param name="Set">The set.</param>
internal sealed record StoredSet(string Scenario, string Variant, RetrievalSet Set);
