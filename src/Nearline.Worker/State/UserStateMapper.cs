using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Behaviours;
using BehaviourKind = Nearline.Model.Behaviours.BehaviourKind;
using ShowBehaviour = Nearline.Model.Behaviours.ShowBehaviour;

namespace Nearline.Worker.State;

/// <summary>Between the stored message and the user that the worker folds into.</summary>
internal static class UserStateMapper
{
    /// <summary>The bytes before everything else in a stored state: tag and value of its revision.</summary>
    public const int RevisionBytes = 9;

    /// <summary>The message to store, one revision further.</summary>
    public static UserState ToMessage(StoredUser user, DateTimeOffset now)
    {
        var history = user.History;
        var message = new UserState
        {
            Revision = user.Revision + 1,
            Schema = StorageSchema.Newest,
            UserId = user.UserId,
            NextOrder = history.NextOrder,
            LastEventTime = ToTimestamp(history.LastEventTime),
            LastDevice = history.LastDevice ?? "",
            UpdatedAt = Timestamp.FromDateTimeOffset(now),
            DeletedAt = ToTimestamp(history.DeletedAt),
            ScenariosTime = ToTimestamp(history.ScenariosTime),
            LastDeviceTime = ToTimestamp(history.LastDeviceTime),
        };
        foreach (var ((topic, partition), next) in user.Fences)
        {
            message.Fences.Add(new PartitionFence { Topic = topic, Partition = partition, NextOffset = next });
        }

        message.RecentEventHashes.AddRange(user.Recent.Identities);
        message.Attributes.Add(history.Attributes.ToDictionary());
        foreach (var (name, time) in history.AttributeTimes)
        {
            message.AttributeTimes.Add(name, Timestamp.FromDateTimeOffset(time));
        }

        message.Scenarios.AddRange(history.Scenarios);
        message.Behaviours.AddRange(history.Behaviours.OrderBy(b => b.FirstTime).Select(ToMessage));
        message.OlderWatched.AddRange(history.OlderWatched);
        message.SetScenarios.AddRange(user.SetScenarios);
        message.MadeSets = user.Made is { } made ? ToMessage(made) : null;
        message.PendingSets = user.Pending is { } pending
            ? new Contracts.Storage.V1.PendingSets
            {
                DueAt = ToTimestamp(pending.Due),
                TriggerEventId = pending.Trigger.EventId,
                TriggerEventTime = ToTimestamp(pending.Trigger.Time),
            }
            : null;
        return message;
    }

    /// <summary>The user that a stored value describes.</summary>
    /// <param name="userId">Whose state it must be.</param>
    /// <param name="value">The stored bytes.</param>
    /// <param name="recentEventWindow">How many event identities to remember.</param>
    /// <exception cref="UnreadableStateException">The value is damaged, newer than this version, or another user's.</exception>
    public static StoredUser FromBytes(string userId, byte[] value, int recentEventWindow)
    {
        UserState message;
        try
        {
            message = UserState.Parser.ParseFrom(value);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new UnreadableStateException($"the {value.Length} stored bytes are not a UserState: {e.Message}", e);
        }

        if (!StorageSchema.IsReadable(message.Schema))
        {
            throw new UnreadableStateException($"the stored state cannot be read: {StorageSchema.Refusal(message.Schema)}");
        }

        if (!string.Equals(message.UserId, userId, StringComparison.Ordinal) || message.Revision == 0)
        {
            throw new UnreadableStateException(
                $"the stored state is of user '{message.UserId}', revision {message.Revision}; a state of '{userId}' from revision 1 on is needed");
        }

        return FromMessage(message, recentEventWindow);
    }

    private static StoredUser FromMessage(UserState message, int recentEventWindow)
    {
        var history = UserHistory.Restore(
            message.Behaviours.Select(FromMessage),
            message.Attributes,
            message.Scenarios,
            message.OlderWatched,
            message.NextOrder,
            message.LastEventTime?.ToDateTimeOffset(),
            message.LastDevice.Length == 0 ? null : message.LastDevice,
            message.DeletedAt?.ToDateTimeOffset(),
            message.AttributeTimes.Select(a => KeyValuePair.Create(a.Key, a.Value.ToDateTimeOffset())),
            message.ScenariosTime?.ToDateTimeOffset(),
            message.LastDeviceTime?.ToDateTimeOffset());
        var user = new StoredUser(
            message.UserId, message.Revision, history, new RecentEvents(recentEventWindow, message.RecentEventHashes))
        {
            SetScenarios = [.. message.SetScenarios],
            Made = message.MadeSets is { At: not null } made ? FromMessage(made) : null,
            Pending = message.PendingSets is { DueAt: { } due, TriggerEventTime: { } time } pending
                ? new PendingSets(due.ToDateTimeOffset(), new SetTrigger(pending.TriggerEventId, time.ToDateTimeOffset()))
                : null,
        };
        foreach (var fence in message.Fences)
        {
            user.SetFence(fence.Topic, fence.Partition, fence.NextOffset);
        }

        return user;
    }

    private static Contracts.Storage.V1.MadeSets ToMessage(MadeSets made)
    {
        var message = new Contracts.Storage.V1.MadeSets
        {
            At = ToTimestamp(made.At),
            ModelVersion = made.ModelVersion,
            CatalogPosition = made.CatalogPosition,
        };
        foreach (var (variant, version, scenarios) in made.Variants)
        {
            message.Variants.Add(new VariantSets { Variant = variant, ModelVersion = version, Scenarios = { scenarios } });
        }

        return message;
    }

    private static MadeSets FromMessage(Contracts.Storage.V1.MadeSets message) => new(
        message.At.ToDateTimeOffset(),
        message.ModelVersion,
        message.CatalogPosition,
        [.. message.Variants.Select(v => new MadeVariant(v.Variant, v.ModelVersion, [.. v.Scenarios]))]);

    private static Contracts.Storage.V1.ShowBehaviour ToMessage(ShowBehaviour behaviour)
    {
        var message = new Contracts.Storage.V1.ShowBehaviour
        {
            Kind = (Contracts.Storage.V1.BehaviourKind)behaviour.Kind,
            ShowId = behaviour.ShowId,
            Episodes = (uint)behaviour.Episodes,
            PlayedSeconds = behaviour.PlayedSeconds,
            LengthSeconds = behaviour.LengthSeconds,
            FirstTime = Timestamp.FromDateTimeOffset(behaviour.FirstTime),
            LastTime = Timestamp.FromDateTimeOffset(behaviour.LastTime),
            Order = behaviour.Order,
            Retracted = behaviour.Retracted,
            UntoldPlayback = behaviour.HasUntoldPlayback,
        };
        message.EpisodeHashes.AddRange(behaviour.EpisodeHashes);
        return message;
    }

    private static ShowBehaviour FromMessage(Contracts.Storage.V1.ShowBehaviour message)
    {
        if (!System.Enum.IsDefined((BehaviourKind)message.Kind) || message.ShowId.Length == 0)
        {
            throw new UnreadableStateException(
                $"the stored state has a behaviour of kind {(int)message.Kind} with show '{message.ShowId}'; a known kind and a show are needed");
        }

        return new ShowBehaviour((BehaviourKind)message.Kind, message.ShowId)
        {
            Episodes = (int)message.Episodes,
            PlayedSeconds = message.PlayedSeconds,
            LengthSeconds = message.LengthSeconds,
            FirstTime = message.FirstTime?.ToDateTimeOffset() ?? default,
            LastTime = message.LastTime?.ToDateTimeOffset() ?? default,
            Order = message.Order,
            Retracted = message.Retracted,
            HasUntoldPlayback = message.UntoldPlayback,
            EpisodeHashes = [.. message.EpisodeHashes],
        };
    }

    private static Timestamp? ToTimestamp(DateTimeOffset? time) =>
        time is { } given ? Timestamp.FromDateTimeOffset(given) : null;
}
