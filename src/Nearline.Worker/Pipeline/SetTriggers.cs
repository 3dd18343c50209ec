using Nearline.Model.Behaviours;
using Nearline.Worker.Events;
using Nearline.Worker.Options;
using Nearline.Worker.State;

namespace Nearline.Worker.Pipeline;

/// <summary>Which events renew a user's sets, and how soon after one another.</summary>
/// <param name="kinds">The actions that do.</param>
/// <param name="debounce">Sets that were made less than this ago are not made again yet; zero: at once.</param>
internal sealed class SetTriggers(IReadOnlySet<ActionKind> kinds, TimeSpan debounce)
{
    /// <summary>The same, without any wait.</summary>
    public SetTriggers AtOnce => new(kinds, TimeSpan.Zero);

    public static SetTriggers Of(WorkerOptions options) => new(options.RefreshingKinds(), options.Debounce);

    /// <summary>Whether events of this kind can renew sets.</summary>
    public bool Contains(ActionKind kind) => kinds.Contains(kind);

    /// <summary>What <see cref="Renews"/> must know of the user before the event is folded in: whether the show counts as watched.</summary>
    public bool Before(UserEventRecord record, StoredUser user) =>
        record.Action is { Kind: ActionKind.Watch, ShowId: { } showId } && user.History.HasWatched(showId);

    /// <summary>
    /// Whether an event that counts renews sets. Of watches those do that lasted as long as it takes to count as
    /// watched, or an unknown time, and the one by which the show comes to count so; a glance changes the state alone.
    /// </summary>
    /// <param name="record">The event.</param>
    /// <param name="before">As <see cref="Before"/> said.</param>
    /// <param name="user">The user after it.</param>
    public bool Renews(UserEventRecord record, bool before, StoredUser user)
    {
        var action = record.Action;
        return kinds.Contains(action.Kind) && (action.Kind != ActionKind.Watch ||
            action.Played is not { } played || played >= ShowBehaviour.WatchedAfter || (!before && user.History.HasWatched(action.ShowId!)));
    }

    /// <summary>Until when new sets of the user wait; null: they are made now.</summary>
    public DateTimeOffset? PutOffUntil(StoredUser user, DateTimeOffset now)
    {
        if (user.Made is not { } made)
        {
            return null;
        }

        // A time too far ahead is another worker's clock, or one that was set back.
        var due = user.Pending?.Due ?? made.At + debounce;
        return due > now && due - now <= debounce ? due : null;
    }
}
