using Nearline.Model.Behaviours;

namespace Nearline.Model.Data;

/// <summary>One user's actions in the order in which they count.</summary>
/// <param name="User">The user.</param>
/// <param name="Actions">By time; equal times in the file's order.</param>
public sealed record UserLog(UserProfile User, IReadOnlyList<UserAction> Actions);

/// <summary>A catalog, its scenarios and its users' actions: what training, evaluation and replay read.</summary>
/// <param name="Shows">The catalog.</param>
/// <param name="Scenarios">The scenarios, at least one.</param>
/// <param name="Users">The users, each with a log, possibly empty.</param>
public sealed record Dataset(
    IReadOnlyList<Show> Shows, IReadOnlyList<Scenario> Scenarios, IReadOnlyList<UserLog> Users);
