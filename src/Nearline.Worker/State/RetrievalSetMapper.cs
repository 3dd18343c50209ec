using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;

namespace Nearline.Worker.State;

/// <summary>From what the retriever found to what is stored.</summary>
internal static class RetrievalSetMapper
{
    /// <summary>A user's set.</summary>
    /// <param name="candidates">What was found.</param>
    /// <param name="modelVersion">By which model.</param>
    /// <param name="now">When.</param>
    /// <param name="triggerId">The event that made it necessary; empty after a refresh.</param>
    /// <param name="triggerTime">That event's time; null after a refresh.</param>
    public static RetrievalSet Personal(
        ScenarioCandidates candidates, string modelVersion, DateTimeOffset now, string triggerId, DateTimeOffset? triggerTime)
    {
        var set = Fallback(candidates, modelVersion, now);
        set.TriggerEventId = triggerId;
        set.TriggerEventTime = triggerTime is { } time ? Timestamp.FromDateTimeOffset(time) : null;
        set.IdScores.Capacity = candidates.Shows.Count;
        foreach (var show in candidates.Shows)
        {
            set.IdScores.Add(show.IdScore);
        }

        return set;
    }

    /// <summary>A list for those who have no set.</summary>
    public static RetrievalSet Fallback(ScenarioCandidates candidates, string modelVersion, DateTimeOffset now)
    {
        var count = candidates.Shows.Count;
        var categories = new byte[count];
        var set = new RetrievalSet { Schema = StorageSchema.Newest, ModelVersion = modelVersion, GeneratedAt = Timestamp.FromDateTimeOffset(now) };
        set.ShowIds.Capacity = count;
        set.Scores.Capacity = count;
        for (var i = 0; i < count; i++)
        {
            var show = candidates.Shows[i];
            set.ShowIds.Add(show.ShowId);
            set.Scores.Add(show.Score);
            categories[i] = (byte)show.Category;
        }

        set.Categories = UnsafeByteOperations.UnsafeWrap(categories);
        return set;
    }

    /// <summary>What sets must not show, also older ones; null when the user has watched nothing.</summary>
    public static WatchedShows? Watched(UserHistory history)
    {
        var hashes = history.WatchedShows().Select(id => StableHash.Of(id)).ToArray();
        if (hashes.Length == 0)
        {
            return null;
        }

        Array.Sort(hashes);
        var watched = new WatchedShows { Schema = StorageSchema.Newest };
        watched.Hashes.AddRange(hashes);
        return watched;
    }
}
