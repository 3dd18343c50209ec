using Nearline.Contracts.Refresh.V1;

namespace Nearline.Worker.Events;

/// <summary>A valid request to rebuild a user's sets.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Reason">Why.</param>
internal sealed record UserRefresh(string UserId, RefreshReason Reason);
