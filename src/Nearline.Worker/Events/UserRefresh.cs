using Nearline.Contracts.Refresh.V1;

namespace Nearline.Worker.Events;

/// <summary>A valid request to rebuild a user's sets.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Reason">Why.</param>
/// <param name="Scope">Which users the backfill means that asks; null: it asks for this one.</param>
internal sealed record UserRefresh(string UserId, RefreshReason Reason, BackfillScope? Scope = null)
{
    /// <summary>Whether it is one of very many, which let everything else go first.</summary>
    public bool IsBackfill => Reason == RefreshReason.Backfill;
}
