using Nearline.Model.Behaviours;

namespace Nearline.Model.Serving;

/// <summary>One user whose sets are to be made.</summary>
/// <param name="UserId">The user; only for messages.</param>
/// <param name="History">The user's past; its watched shows are left out of the sets unless <see cref="IncludeWatched"/>.</param>
/// <param name="Now">The time that the set is made for: the triggering event's.</param>
public sealed record RetrievalRequest(string UserId, UserHistory History, DateTimeOffset Now)
{
    /// <summary>Whether sets may contain watched shows too. Serving never asks for that; published evaluations do.</summary>
    public bool IncludeWatched { get; init; }
}
