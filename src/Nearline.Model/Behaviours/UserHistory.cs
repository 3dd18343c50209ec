using System.Runtime.InteropServices;

namespace Nearline.Model.Behaviours;

/// <summary>
/// A user's past, folded from actions one by one. Training and serving use this one fold, so that they cannot drift.
/// Not thread-safe.
/// </summary>
/// <remarks>
/// Event time decides what is newer; between equal times, arrival. Sums, firsts and lasts do not depend on the order
/// in which actions arrive; of save and unsave, of like and dislike, and of profile updates to one attribute or to the scenarios, the newer wins
/// whichever arrives first.
/// </remarks>
public sealed class UserHistory
{
    /// <summary>Behaviours kept of one kind; the oldest beyond it leave, watched ones into <see cref="OlderWatched"/>.</summary>
    public const int MaxBehavioursPerKind = 300;

    /// <summary>Ids kept in <see cref="OlderWatched"/>; the earliest beyond it are forgotten.</summary>
    public const int MaxOlderWatched = 5000;

    /// <summary>Names of profile attributes kept, removed ones among them; the longest unchanged beyond it are forgotten.</summary>
    public const int MaxAttributes = 256;

    private readonly Dictionary<(BehaviourKind Kind, string ShowId), ShowBehaviour> behaviours = [];
    private readonly Dictionary<string, string> attributes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> attributeTimes = new(StringComparer.Ordinal);
    private readonly List<string> olderWatched = [];
    private readonly HashSet<string> olderWatchedSet = new(StringComparer.Ordinal);
    private readonly int[] counts = new int[5];
    private List<string> scenarios = [];

    /// <summary>Profile attributes, such as gender.</summary>
    public IReadOnlyDictionary<string, string> Attributes => attributes;

    /// <summary>When each attribute was last set or removed; none for those known from the start.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> AttributeTimes => attributeTimes;

    /// <summary>When <see cref="Scenarios"/> were last set; null: known from the start, or never.</summary>
    public DateTimeOffset? ScenariosTime { get; private set; }

    /// <summary>The scenarios in which the user is served; empty: all.</summary>
    public IReadOnlyList<string> Scenarios => scenarios;

    /// <summary>All behaviours, in no particular order, retracted ones among them.</summary>
    public IReadOnlyCollection<ShowBehaviour> Behaviours => behaviours.Values;

    /// <summary>Shows once watched whose behaviour was dropped, oldest first.</summary>
    public IReadOnlyList<string> OlderWatched => olderWatched;

    /// <summary>The order number that the next action gets.</summary>
    public ulong NextOrder { get; private set; }

    /// <summary>The latest event time; null before the first.</summary>
    public DateTimeOffset? LastEventTime { get; private set; }

    /// <summary>The device of the latest action that named one.</summary>
    public string? LastDevice { get; private set; }

    /// <summary>The time of that action.</summary>
    public DateTimeOffset? LastDeviceTime { get; private set; }

    /// <summary>When the user was deleted; actions not newer than that are ignored.</summary>
    public DateTimeOffset? DeletedAt { get; private set; }

    /// <summary>Restores a history from what was stored of it.</summary>
    public static UserHistory Restore(
        IEnumerable<ShowBehaviour> behaviours,
        IEnumerable<KeyValuePair<string, string>> attributes,
        IEnumerable<string> scenarios,
        IEnumerable<string> olderWatched,
        ulong nextOrder,
        DateTimeOffset? lastEventTime,
        string? lastDevice,
        DateTimeOffset? deletedAt,
        IEnumerable<KeyValuePair<string, DateTimeOffset>>? attributeTimes = null,
        DateTimeOffset? scenariosTime = null,
        DateTimeOffset? lastDeviceTime = null)
    {
        var history = new UserHistory
        {
            scenarios = [.. scenarios],
            NextOrder = nextOrder,
            LastEventTime = lastEventTime,
            LastDevice = lastDevice,
            LastDeviceTime = lastDevice is null ? null : lastDeviceTime ?? lastEventTime,
            DeletedAt = deletedAt,
            ScenariosTime = scenariosTime,
        };
        foreach (var behaviour in behaviours)
        {
            history.Put(behaviour);
        }

        foreach (var (name, value) in attributes)
        {
            history.attributes[name] = value;
        }

        foreach (var (name, time) in attributeTimes ?? [])
        {
            history.attributeTimes[name] = time;
        }

        foreach (var showId in olderWatched)
        {
            history.AddOlderWatched(showId);
        }

        return history;
    }

    /// <summary>A copy that further actions on this one do not change.</summary>
    public UserHistory Clone() =>
        Restore(
            behaviours.Values,
            attributes,
            scenarios,
            olderWatched,
            NextOrder,
            LastEventTime,
            LastDevice,
            DeletedAt,
            attributeTimes,
            ScenariosTime,
            LastDeviceTime);

    /// <summary>Whether sets must leave the show out.</summary>
    public bool HasWatched(string showId) =>
        olderWatchedSet.Contains(showId) ||
        (behaviours.TryGetValue((BehaviourKind.Watch, showId), out var behaviour) && behaviour.IsWatched);

    /// <summary>A behaviour, retracted or not; null when there is none.</summary>
    internal ShowBehaviour? Find(BehaviourKind kind, string showId) => behaviours.GetValueOrDefault((kind, showId));

    /// <summary>Every show that sets must leave out, without repetition.</summary>
    public IEnumerable<string> WatchedShows() =>
        behaviours.Values.Where(b => b.IsWatched).Select(b => b.ShowId).Concat(
            olderWatched.Where(id => !behaviours.TryGetValue((BehaviourKind.Watch, id), out var b) || !b.IsWatched));

    /// <summary>One kind's behaviours that stand, oldest first by (last time, order).</summary>
    public List<ShowBehaviour> Sequence(BehaviourKind kind)
    {
        var sequence = new List<ShowBehaviour>(counts[(int)kind]);
        foreach (var behaviour in behaviours.Values)
        {
            if (behaviour.Kind == kind && !behaviour.Retracted)
            {
                sequence.Add(behaviour);
            }
        }

        sequence.Sort(ByTimeThenOrder);
        return sequence;
    }

    /// <summary>Folds one action in.</summary>
    /// <returns>Whether it changed anything: false only for actions from before the user's deletion.</returns>
    /// <exception cref="ArgumentException">The action lacks the show that its kind needs.</exception>
    public bool Apply(UserAction action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (DeletedAt is { } deleted && action.Time <= deleted)
        {
            return false;
        }

        var order = NextOrder++;
        if (action.Kind == ActionKind.DeleteUser)
        {
            Delete(action.Time);
            return true;
        }

        LastEventTime = LastEventTime > action.Time ? LastEventTime : action.Time;
        if (!string.IsNullOrEmpty(action.Device) && !(action.Time < LastDeviceTime))
        {
            (LastDevice, LastDeviceTime) = (action.Device, action.Time);
        }

        switch (action.Kind)
        {
            case ActionKind.Watch:
                Watch(action, order);
                break;
            case ActionKind.Save:
                Set(BehaviourKind.Save, action, order, retracted: false);
                break;
            case ActionKind.Unsave:
                Set(BehaviourKind.Save, action, order, retracted: true);
                break;
            case ActionKind.Like:
                Set(BehaviourKind.Like, action, order, retracted: false);
                Set(BehaviourKind.Dislike, action, order, retracted: true);
                break;
            case ActionKind.Dislike:
                Set(BehaviourKind.Dislike, action, order, retracted: false);
                Set(BehaviourKind.Like, action, order, retracted: true);
                break;
            case ActionKind.ProfileUpdate:
                UpdateProfile(action);
                break;
            case ActionKind.Login:
            case ActionKind.Impression:
                break;
            default:
                throw new ArgumentException($"kind: {action.Kind} is not an action", nameof(action));
        }

        return true;
    }

    private static readonly Comparer<(DateTimeOffset Time, string Name)> ByTimeThenName =
        Comparer<(DateTimeOffset Time, string Name)>.Create((a, b) =>
            a.Time != b.Time ? a.Time.CompareTo(b.Time) : string.CompareOrdinal(a.Name, b.Name));

    private static int ByTimeThenOrder(ShowBehaviour a, ShowBehaviour b)
    {
        var byTime = a.LastTime.CompareTo(b.LastTime);
        return byTime != 0 ? byTime : a.Order.CompareTo(b.Order);
    }

    private static string ShowOf(UserAction action) =>
        string.IsNullOrEmpty(action.ShowId)
            ? throw new ArgumentException($"show_id: empty; a {action.Kind} needs the show's id", nameof(action))
            : action.ShowId;

    private static uint EpisodeHash(string episodeId)
    {
        var hash = 2166136261u;
        foreach (var b in MemoryMarshal.AsBytes(episodeId.AsSpan()))
        {
            hash = (hash ^ b) * 16777619u;
        }

        return hash;
    }

    private void Watch(UserAction action, ulong order)
    {
        var showId = ShowOf(action);
        var isFirst = !behaviours.TryGetValue((BehaviourKind.Watch, showId), out var old);
        var behaviour = old ?? new ShowBehaviour(BehaviourKind.Watch, showId)
        {
            Episodes = 0,
            FirstTime = action.Time,
            LastTime = action.Time,
            Order = order,
        };

        var episodes = behaviour.Episodes;
        var hashes = behaviour.EpisodeHashes;
        if (string.IsNullOrEmpty(action.EpisodeId))
        {
            episodes = Math.Max(episodes, 1);
        }
        else
        {
            var hash = EpisodeHash(action.EpisodeId);
            if (!hashes.Contains(hash))
            {
                episodes++;
                hashes = hashes.Count < ShowBehaviour.MaxEpisodeHashes ? [.. hashes, hash] : hashes;
            }
        }

        var isLatest = isFirst || action.Time >= behaviour.LastTime;
        Put(behaviour with
        {
            Episodes = episodes,
            EpisodeHashes = hashes,
            PlayedSeconds = behaviour.PlayedSeconds + Math.Max(0, action.Played?.TotalSeconds ?? 0),
            HasUntoldPlayback = behaviour.HasUntoldPlayback || action.Played is null,
            LengthSeconds = behaviour.LengthSeconds + Math.Max(0, action.Length?.TotalSeconds ?? 0),
            FirstTime = action.Time < behaviour.FirstTime ? action.Time : behaviour.FirstTime,
            LastTime = isLatest ? action.Time : behaviour.LastTime,
            Order = isLatest ? order : behaviour.Order,
        });
        Trim(BehaviourKind.Watch);
    }

    private void Set(BehaviourKind kind, UserAction action, ulong order, bool retracted)
    {
        var showId = ShowOf(action);
        if (!behaviours.TryGetValue((kind, showId), out var old))
        {
            Put(new ShowBehaviour(kind, showId)
            {
                FirstTime = action.Time,
                LastTime = action.Time,
                Order = order,
                Retracted = retracted,
            });
            Trim(kind);
        }
        else if (action.Time >= old.LastTime)
        {
            Put(old with { LastTime = action.Time, Order = order, Retracted = retracted });
        }
        else if (action.Time < old.FirstTime)
        {
            Put(old with { FirstTime = action.Time });
        }
    }

    private void UpdateProfile(UserAction action)
    {
        foreach (var (name, value) in action.Attributes ?? new Dictionary<string, string>())
        {
            if (attributeTimes.TryGetValue(name, out var last) && action.Time < last)
            {
                continue;
            }

            attributeTimes[name] = action.Time;
            if (value.Length == 0)
            {
                attributes.Remove(name);
            }
            else
            {
                attributes[name] = value;
            }
        }

        while (attributeTimes.Count > MaxAttributes)
        {
            var (oldest, _) = attributeTimes.MinBy(a => (a.Value, a.Key), ByTimeThenName);
            attributeTimes.Remove(oldest);
            attributes.Remove(oldest);
        }

        if (action.Scenarios is { Count: > 0 } given && !(action.Time < ScenariosTime))
        {
            ScenariosTime = action.Time;
            scenarios = [.. given.Distinct(StringComparer.Ordinal)];
        }
    }

    /// <summary>
    /// What happened later stays: a deletion may arrive after it. Of a show with a past on both sides only its latest time
    /// does, since sums cannot be taken apart, and nothing from before may be kept.
    /// </summary>
    private void Delete(DateTimeOffset time)
    {
        ShowBehaviour[] later = [.. behaviours.Values.Where(b => b.LastTime > time)];
        behaviours.Clear();
        Array.Clear(counts);
        foreach (var behaviour in later)
        {
            Put(behaviour.FirstTime > time ? behaviour : new ShowBehaviour(behaviour.Kind, behaviour.ShowId)
            {
                FirstTime = behaviour.LastTime,
                LastTime = behaviour.LastTime,
                Order = behaviour.Order,
                Retracted = behaviour.Retracted,
                HasUntoldPlayback = behaviour.Kind == BehaviourKind.Watch,
            });
        }

        foreach (var name in attributes.Keys.Union(attributeTimes.Keys).Where(n => !(attributeTimes.GetValueOrDefault(n) > time)).ToList())
        {
            attributes.Remove(name);
            attributeTimes.Remove(name);
        }

        if (!(ScenariosTime > time))
        {
            ScenariosTime = null;
            scenarios = [];
        }

        olderWatched.Clear();
        olderWatchedSet.Clear();
        LastEventTime = LastEventTime > time ? LastEventTime : null;
        if (!(LastDeviceTime > time))
        {
            (LastDevice, LastDeviceTime) = (null, null);
        }

        DeletedAt = time;
    }

    private void Put(ShowBehaviour behaviour)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(
            behaviours, (behaviour.Kind, behaviour.ShowId), out var exists);
        slot = behaviour;
        counts[(int)behaviour.Kind] += exists ? 0 : 1;
    }

    private void Trim(BehaviourKind kind)
    {
        if (counts[(int)kind] <= MaxBehavioursPerKind)
        {
            return;
        }

        ShowBehaviour? oldest = null;
        foreach (var behaviour in behaviours.Values)
        {
            if (behaviour.Kind == kind && (oldest is null || ByTimeThenOrder(behaviour, oldest) < 0))
            {
                oldest = behaviour;
            }
        }

        behaviours.Remove((kind, oldest!.ShowId));
        counts[(int)kind]--;
        if (oldest.IsWatched)
        {
            AddOlderWatched(oldest.ShowId);
        }
    }

    private void AddOlderWatched(string showId)
    {
        if (!olderWatchedSet.Add(showId))
        {
            return;
        }

        olderWatched.Add(showId);
        if (olderWatched.Count > MaxOlderWatched)
        {
            olderWatchedSet.Remove(olderWatched[0]);
            olderWatched.RemoveAt(0);
        }
    }
}
