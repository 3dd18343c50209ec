using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.Collections;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Behaviours;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Events;

/// <summary>Reads and validates records of the event topic.</summary>
/// <param name="clock">Tells what is the future.</param>
/// <param name="maxFutureSkew">How far a producer's clock may be ahead.</param>
internal sealed class EventDecoder(TimeProvider clock, TimeSpan maxFutureSkew)
{
    private const int MaxAttributes = 64;
    private const int MaxScenarios = 64;

    /// <summary>The event in the record.</summary>
    /// <exception cref="RejectedRecordException">It is not a valid event.</exception>
    public UserEventRecord Decode(ConsumedRecord record)
    {
        var message = FieldRules.Message(record, UserEvent.Parser);
        var userId = FieldRules.UserId(message.UserId, record.Key);
        var eventId = Either(message.EventId, record, "event_id", KafkaHeaders.CeId);
        var source = Either(message.Source, record, "source", KafkaHeaders.CeSource);
        var action = ReadAction(message, Time(message, record)) with
        {
            Scenario = NullIfEmpty(FieldRules.NotTooLong("scenario", message.Scenario)),
            Device = NullIfEmpty(FieldRules.NotTooLong("device", message.Device)),
        };
        return new UserEventRecord(
            userId,
            action,
            eventId.Length == 0 ? record.Origin : eventId,
            eventId.Length == 0 ? null : StableHash.Of(source, eventId),
            record.Topic,
            record.Partition,
            record.Offset)
        {
            ArrivedAt = record.Timestamp ?? record.ConsumedAt,
            Trace = Trace(record),
        };
    }

    private static string Either(string value, ConsumedRecord record, string field, string header) =>
        value.Length > 0
            ? FieldRules.NotTooLong(field, value)
            : FieldRules.NotTooLong(header, record.Header(header) ?? "");

    private static string? NullIfEmpty(string value) => value.Length == 0 ? null : value;

    private static ActivityContext Trace(ConsumedRecord record) =>
        record.Header(KafkaHeaders.TraceParent) is { } parent && ActivityContext.TryParse(parent, null, isRemote: true, out var context)
            ? context
            : default;

    private static UserAction ReadAction(UserEvent message, DateTimeOffset time)
    {
        return message.ActionCase switch
        {
            UserEvent.ActionOneofCase.Login => new UserAction(ActionKind.Login, time),
            UserEvent.ActionOneofCase.Watch => new UserAction(ActionKind.Watch, time)
            {
                ShowId = FieldRules.Required("watch.show_id", message.Watch.ShowId),
                EpisodeId = NullIfEmpty(FieldRules.NotTooLong("watch.episode_id", message.Watch.EpisodeId)),
                Played = FieldRules.NotNegative("watch.played", message.Watch.Played),
                Length = FieldRules.NotNegative("watch.length", message.Watch.Length) is { Ticks: > 0 } length ? length : null,
            },
            UserEvent.ActionOneofCase.Save => OfShow(ActionKind.Save, "save.show_id", message.Save.ShowId),
            UserEvent.ActionOneofCase.Unsave => OfShow(ActionKind.Unsave, "unsave.show_id", message.Unsave.ShowId),
            UserEvent.ActionOneofCase.Like => OfShow(ActionKind.Like, "like.show_id", message.Like.ShowId),
            UserEvent.ActionOneofCase.Dislike => OfShow(ActionKind.Dislike, "dislike.show_id", message.Dislike.ShowId),
            UserEvent.ActionOneofCase.Impression =>
                OfShow(ActionKind.Impression, "impression.show_id", message.Impression.ShowId) with
                {
                    Clicked = message.Impression.Clicked,
                },
            UserEvent.ActionOneofCase.ProfileUpdate => new UserAction(ActionKind.ProfileUpdate, time)
            {
                Attributes = Attributes(message.ProfileUpdate.Attributes),
                Scenarios = Scenarios(message.ProfileUpdate.Scenarios),
            },
            UserEvent.ActionOneofCase.DeleteUser => new UserAction(ActionKind.DeleteUser, time),
            _ => throw new RejectedRecordException(
                "action", "none or unknown; one of login, watch, save, unsave, like, dislike, impression, profile_update, delete_user is needed"),
        };

        UserAction OfShow(ActionKind kind, string field, string showId) =>
            new(kind, time) { ShowId = FieldRules.Required(field, showId) };
    }

    private static Dictionary<string, string> Attributes(MapField<string, string> given)
    {
        if (given.Count > MaxAttributes)
        {
            throw new RejectedRecordException(
                "profile_update.attributes", $"{given.Count} attributes; at most {MaxAttributes} are allowed");
        }

        var attributes = new Dictionary<string, string>(given.Count, StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            if (name.Length == 0)
            {
                throw new RejectedRecordException("profile_update.attributes", "an empty name; attributes have names");
            }

            FieldRules.NotTooLong("profile_update.attributes", name);
            attributes[name] = FieldRules.NotTooLong("profile_update.attributes", value);
        }

        return attributes;
    }

    private static string[] Scenarios(RepeatedField<string> given)
    {
        if (given.Count > MaxScenarios)
        {
            throw new RejectedRecordException(
                "profile_update.scenarios", $"{given.Count} scenarios; at most {MaxScenarios} are allowed");
        }

        foreach (var scenario in given)
        {
            if (scenario.Length == 0)
            {
                throw new RejectedRecordException("profile_update.scenarios", "an empty name; scenarios have names");
            }

            FieldRules.NotTooLong("profile_update.scenarios", scenario);
        }

        return [.. given];
    }

    private DateTimeOffset Time(UserEvent message, ConsumedRecord record)
    {
        DateTimeOffset time;
        var field = "event_time";
        if (message.EventTime is { } given)
        {
            time = FieldRules.Time(field, given);
        }
        else if (record.Header(KafkaHeaders.CeTime) is { Length: > 0 } header)
        {
            field = KafkaHeaders.CeTime;
            if (!DateTimeOffset.TryParse(
                    header, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time))
            {
                throw new RejectedRecordException(
                    field, $"{FieldRules.Show(header)} is not a time; RFC 3339 is needed, such as 2026-01-31T20:15:00Z");
            }
        }
        else
        {
            time = record.Timestamp ?? throw new RejectedRecordException(
                field, "missing, as is the ce_time header, and the record's timestamp is missing or no time in milliseconds; one of them is needed");
        }

        var latest = clock.GetUtcNow() + maxFutureSkew;
        return time > latest
            ? throw new RejectedRecordException(
                field, $"{time:O} is in the future; the latest accepted now is {latest:O}, {maxFutureSkew} ahead of the worker's clock")
            : time;
    }
}
