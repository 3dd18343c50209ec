using Nearline.Model.Behaviours;

namespace Nearline.Model.Features;

/// <summary>
/// Encodes a user's log as one run of behaviours with many views of it, for models whose self-attention looks back only:
/// one pass through the encoder then teaches every instance of the log.
/// </summary>
/// <remarks>
/// A behaviour that is engaged in anew is a new token, with its sums up to then; the one before it is there for the views
/// and tokens between. So a view sees the very behaviours, with the very features, that serving would have seen then.
/// Keeps scratch memory: not thread-safe.
/// </remarks>
internal sealed class Timeline
{
    private static readonly BehaviourKind[] Kinds = [BehaviourKind.Watch, BehaviourKind.Save, BehaviourKind.Like, BehaviourKind.Dislike];

    private readonly FeatureEncoder encoder;
    private readonly List<Token>[] slots = [.. Enumerable.Range(0, SequenceSlots.Count).Select(_ => new List<Token>())];
    private readonly Dictionary<(BehaviourKind Kind, string ShowId), (int Slot, int Index)> latest = [];
    private readonly List<(int Slot, int Index)> lastWatches = [];
    private readonly ShowBehaviour?[] before = new ShowBehaviour?[Kinds.Length];
    private (int Slot, int Index) lastWatch = (-1, -1);

    public Timeline(FeatureEncoder encoder)
    {
        this.encoder = encoder;
    }

    /// <summary>Applies an action to the history and keeps what behaviour came of it.</summary>
    /// <param name="history">The user's past up to the action.</param>
    /// <param name="action">The action.</param>
    /// <param name="at">Its place in the log, rising.</param>
    public void Apply(UserHistory history, UserAction action, int at)
    {
        if (action.Kind == ActionKind.DeleteUser)
        {
            Forget(history, action, at);
            return;
        }

        var show = action.ShowId;
        for (var k = 0; k < Kinds.Length; k++)
        {
            before[k] = show is null ? null : history.Find(Kinds[k], show);
        }

        history.Apply(action);
        for (var k = 0; k < Kinds.Length && show is not null; k++)
        {
            var after = history.Find(Kinds[k], show);
            if (after is not null && !ReferenceEquals(after, before[k]))
            {
                Replace(after, at);
            }
        }
    }

    /// <summary>Adds a view of the history as it is, before the action at a place is applied.</summary>
    public void View(UserHistory history, int at, EncodedBatch batch)
    {
        encoder.AppendView(history, history.LastEventTime!.Value, batch);
        batch.ViewAt.Add(at);
        lastWatches.Add(lastWatch);
    }

    /// <summary>Ends the user: the sequences join the views in the batch. Forgets the user.</summary>
    public void Finish(EncodedBatch batch)
    {
        var starts = new int[slots.Length];
        for (var s = 0; s < slots.Length; s++)
        {
            starts[s] = batch.Shows.Count;
            foreach (var token in slots[s])
            {
                encoder.AppendBehaviour(token.Behaviour, token.From, token.Until, batch);
                for (var k = Subsidiaries.TimelessCount; k < Subsidiaries.Count; k++)
                {
                    batch.Subsidiaries.Add(0);
                }
            }

            batch.SequenceStarts.Add(batch.Shows.Count);
        }

        foreach (var (slot, index) in lastWatches)
        {
            batch.LastWatch.Add(slot < 0 ? -1 : starts[slot] + index);
        }

        batch.ViewStarts.Add(batch.Count);
        Array.ForEach(slots, s => s.Clear());
        latest.Clear();
        lastWatches.Clear();
        lastWatch = (-1, -1);
    }

    private void Replace(ShowBehaviour behaviour, int at)
    {
        var key = (behaviour.Kind, behaviour.ShowId);
        if (latest.Remove(key, out var old))
        {
            slots[old.Slot][old.Index] = slots[old.Slot][old.Index] with { Until = at };
        }

        var slot = encoder.SlotOf(behaviour);
        if (slot < 0 || behaviour.Retracted)
        {
            return;
        }

        latest[key] = (slot, slots[slot].Count);
        if (slot <= (int)SequenceSlot.WatchedLive)
        {
            lastWatch = latest[key];
        }

        slots[slot].Add(new Token(behaviour, at, int.MaxValue));
    }

    private void Forget(UserHistory history, UserAction action, int at)
    {
        history.Apply(action);
        foreach (var (slot, index) in latest.Values)
        {
            slots[slot][index] = slots[slot][index] with { Until = at };
        }

        latest.Clear();
        lastWatch = (-1, -1);
    }

    /// <summary>A behaviour as it was between two places in the log.</summary>
    private readonly record struct Token(ShowBehaviour Behaviour, int From, int Until);
}
