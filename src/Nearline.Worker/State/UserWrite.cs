using Nearline.Contracts.Storage.V1;

namespace Nearline.Worker.State;

/// <summary>What is to be stored of one user in one step.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ExpectedRevision">The first nine bytes of the state that was read; empty when there was none.</param>
/// <param name="State">The new state.</param>
/// <param name="Watched">What the user has watched; null: nothing.</param>
/// <param name="Sets">New sets by scenario.</param>
/// <param name="RemovedScenarios">Scenarios whose sets are to be deleted.</param>
/// <param name="Announcement">What to tell those who wait for a renewal; empty: nothing.</param>
internal sealed record UserWrite(
    string UserId,
    byte[] ExpectedRevision,
    UserState State,
    WatchedShows? Watched,
    IReadOnlyList<(string Scenario, RetrievalSet Set)> Sets,
    IReadOnlyList<string> RemovedScenarios,
    string Announcement);
