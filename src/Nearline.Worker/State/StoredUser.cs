using Nearline.Model.Behaviours;
using Nearline.Worker.Events;

namespace Nearline.Worker.State;

/// <summary>
/// A user's history and what makes folding into it idempotent: a fence for each source partition (what Kafka delivers
/// again lies below it) and the identities of recent events (what a producer sends again has a known one). All of it
/// is stored in one value, so history and guards cannot disagree. Not thread-safe.
/// </summary>
internal sealed class StoredUser(string userId, ulong revision, UserHistory history, RecentEvents recent)
{
    private readonly Dictionary<(string Topic, int Partition), long> fences = [];

    public string UserId { get; } = userId;

    /// <summary>How often the state was written; 0 when it is not stored yet.</summary>
    public ulong Revision { get; } = revision;

    public UserHistory History { get; } = history;

    public RecentEvents Recent { get; } = recent;

    /// <summary>By source partition, the offset from which on events are new.</summary>
    public IReadOnlyDictionary<(string Topic, int Partition), long> Fences => fences;

    /// <summary>The scenarios for which the user has a stored set.</summary>
    public IReadOnlyList<string> SetScenarios { get; set; } = [];

    /// <summary>How the stored sets were made; null when there are none, or that is not known.</summary>
    public MadeSets? Made { get; set; }

    /// <summary>There while the stored sets are older than the state.</summary>
    public PendingSets? Pending { get; set; }

    /// <summary>Whether nothing but the deletion is known of the user.</summary>
    public bool IsDeleted => History.DeletedAt is not null && History.LastEventTime is null;

    /// <summary>A user of whom nothing is stored.</summary>
    public static StoredUser New(string userId, int recentEventWindow) =>
        new(userId, 0, new UserHistory(), new RecentEvents(recentEventWindow, []));

    public void SetFence(string topic, int partition, long nextOffset) => fences[(topic, partition)] = nextOffset;

    /// <summary>Folds one event in, unless it is there already.</summary>
    public FoldOutcome Fold(UserEventRecord record)
    {
        var source = (record.Topic, record.Partition);
        if (fences.TryGetValue(source, out var next) && record.Offset < next)
        {
            return FoldOutcome.DuplicateOffset;
        }

        fences[source] = record.Offset + 1;
        if (record.Identity is { } identity && Recent.Contains(identity))
        {
            return FoldOutcome.DuplicateId;
        }

        if (!History.Apply(record.Action))
        {
            return FoldOutcome.StaleDeleted;
        }

        if (record.Identity is { } applied)
        {
            Recent.Add(applied);
        }

        return FoldOutcome.Applied;
    }
}
