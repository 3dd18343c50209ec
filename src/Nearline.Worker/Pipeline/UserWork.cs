using Nearline.Model.Behaviours;
using Nearline.Worker.Events;
using Nearline.Worker.Models;
using Nearline.Worker.State;

namespace Nearline.Worker.Pipeline;

/// <summary>What a batch has to do for one user: the events and requests, then what folding them made necessary.</summary>
internal sealed class UserWork(string userId)
{
    private readonly List<FoldOutcome> outcomes = [];
    private bool wasPending;
    private string? passedBy;

    public string UserId { get; } = userId;

    /// <summary>In the order of consumption; each has an event or a refresh.</summary>
    public List<WorkItem> Items { get; } = [];

    /// <summary>The user after folding.</summary>
    public StoredUser User { get; private set; } = null!;

    /// <summary>The first bytes of the state that was read: the write succeeds only over these.</summary>
    public byte[] ExpectedRevision { get; private set; } = [];

    /// <summary>The latest event, by event time, that makes new sets necessary; null when none does.</summary>
    public SetTrigger? Trigger { get; private set; }

    /// <summary>Whether new sets are necessary, but others were made a moment ago: the state says until when they wait.</summary>
    public bool IsPutOff { get; private set; }

    /// <summary>Whether an event deleted the user; where something newer had arrived before it, sets are built of that.</summary>
    public bool WasDeleted { get; private set; }

    /// <summary>Whether a refresh finds something to build sets from.</summary>
    public bool HasRefresh { get; private set; }

    /// <summary>Whether sets are to be built.</summary>
    public bool NeedsSets => WantsSets && !IsPutOff;

    /// <summary>What became of the requests for the user: a label of metrics.</summary>
    public string RefreshOutcome => NeedsSets ? "rebuilt" : passedBy ?? "no_state";

    /// <summary>Whether anything is to be stored: not when all events were there already.</summary>
    public bool NeedsWrite => NeedsSets || outcomes.Exists(outcome => outcome != FoldOutcome.DuplicateOffset);

    /// <summary>Whether sets are made that an earlier event made necessary.</summary>
    public bool IsOverdue => NeedsSets && wasPending && Trigger is not null;

    private bool WantsSets => Trigger is not null || ((HasRefresh || WasDeleted) && !User.IsDeleted);

    /// <summary>The events with what became of each.</summary>
    public IEnumerable<(UserEventRecord Event, FoldOutcome Outcome)> Events => ReceivedEvents.Select(e => (e.Event, e.Outcome));

    /// <summary>The same with the timestamp of the clock at which the consumer had it.</summary>
    public IEnumerable<(UserEventRecord Event, long ReceivedAt, FoldOutcome Outcome)> ReceivedEvents =>
        Items.Where(item => item.Event is not null).Select((item, i) => (item.Event!, item.Source.ReceivedAt, outcomes[i]));

    /// <summary>Reads the stored state and folds the events into it; may be repeated with a newer state.</summary>
    /// <param name="stored">The state; null: none.</param>
    /// <param name="recentEventWindow">How many event identities to remember.</param>
    /// <param name="triggers">Which events renew sets, and how often.</param>
    /// <param name="plan">What is served; null: nothing yet.</param>
    /// <param name="now">The present.</param>
    /// <exception cref="UnreadableStateException">The stored state cannot be read.</exception>
    public void Fold(byte[]? stored, int recentEventWindow, SetTriggers triggers, ServingPlan? plan, DateTimeOffset now)
    {
        User = stored is null
            ? StoredUser.New(UserId, recentEventWindow)
            : UserStateMapper.FromBytes(UserId, stored, recentEventWindow);
        ExpectedRevision = stored is null ? [] : stored[..UserStateMapper.RevisionBytes];
        outcomes.Clear();
        wasPending = User.Pending is not null;
        Trigger = User.Pending?.Trigger;
        WasDeleted = false;
        foreach (var item in Items)
        {
            if (item.Event is { } userEvent)
            {
                var before = triggers.Before(userEvent, User);
                var outcome = User.Fold(userEvent);
                outcomes.Add(outcome);
                if (outcome == FoldOutcome.Applied)
                {
                    Note(userEvent, triggers.Renews(userEvent, before, User));
                }
            }
        }

        var isKnown = (User.Revision > 0 || outcomes.Count > 0) && !User.IsDeleted;
        passedBy = isKnown ? PassedBy(plan) : null;
        HasRefresh = isKnown && passedBy is null && Items.Exists(item => item.Refresh is not null);
        PutOff(triggers, now);
    }

    /// <summary>Why a backfill does not mean the user; null when somebody asks for the user all the same.</summary>
    private string? PassedBy(ServingPlan? plan)
    {
        string? reason = null;
        foreach (var item in Items)
        {
            if (item.Refresh is { } refresh)
            {
                reason = refresh.Scope is not { } scope ? null
                    : scope.Scenario.Length > 0 && User.History.Scenarios.Count > 0 && !User.History.Scenarios.Contains(scope.Scenario) ? "other_scenario"
                    : scope.OnlyOutdated && User.Pending is null && User.Made?.CatalogPosition >= scope.CatalogPosition && plan?.IsServed(User) == true ? "current"
                    : null;
                if (reason is null)
                {
                    return null;
                }
            }
        }

        return reason;
    }

    private void PutOff(SetTriggers triggers, DateTimeOffset now)
    {
        var due = WantsSets && !HasRefresh && !WasDeleted ? triggers.PutOffUntil(User, now) : null;
        IsPutOff = due is not null;
        User.Pending = due is { } at && Trigger is { } trigger ? new PendingSets(at, trigger) : null;
    }

    private void Note(UserEventRecord applied, bool renews)
    {
        if (applied.Action.Kind == ActionKind.DeleteUser)
        {
            WasDeleted = true;
            Trigger = null;
        }
        else if (renews && (Trigger is null || applied.Action.Time >= Trigger.Time))
        {
            Trigger = new SetTrigger(applied.EventId, applied.Action.Time);
        }
    }
}
