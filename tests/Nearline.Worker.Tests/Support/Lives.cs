using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;

namespace Nearline.Worker.Tests.Support;

/// <summary>Random but repeatable lives of users.</summary>
internal static class Lives
{
    /// <summary>In the past, so that a worker with a real clock accepts the events.</summary>
    private static readonly DateTimeOffset Start = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string?[] Devices = [null, "tv", "phone"];

    /// <summary>Of attributes, of which some are several values.</summary>
    private static readonly string[] Values = ["v0", "v1", "v2|v0"];

    /// <summary>
    /// Events as a log has them, at offsets from zero, in an order that is not quite that of their times; some are
    /// sent twice by the producer, at a later offset with the same identity.
    /// </summary>
    public static List<UserEventRecord> Log(Random random, string userId, int length, bool deletes = true)
    {
        var log = new List<UserEventRecord>();
        while (log.Count < length)
        {
            if (log.Count > 0 && random.Next(5) == 0)
            {
                var again = log[random.Next(log.Count)];
                if (again.Identity is not null)
                {
                    log.Add(again with { Offset = log.Count });
                }

                continue;
            }

            var id = random.Next(6) == 0 ? null : $"e{log.Count}";
            log.Add(new UserEventRecord(
                userId,
                Action(random, Start.AddMinutes(log.Count + random.Next(-6, 6)), deletes),
                id ?? $"{KafkaTopics.UserEvents}/0/{log.Count}",
                id is null ? null : StableHash.Of("life", id),
                KafkaTopics.UserEvents,
                0,
                log.Count));
        }

        return log;
    }

    /// <summary>The log without what the producer sent twice.</summary>
    public static List<UserEventRecord> Distinct(IEnumerable<UserEventRecord> log) =>
        [.. log.DistinctBy(e => e.Identity?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? $"offset {e.Offset}")];

    /// <summary>The event as a producer sends it. Without an id only its offset identifies it.</summary>
    public static UserEvent ToMessage(UserEventRecord record)
    {
        var action = record.Action;
        var showId = action.ShowId ?? "";
        var message = new UserEvent
        {
            UserId = record.UserId,
            EventTime = Timestamp.FromDateTimeOffset(action.Time),
            EventId = record.Identity is null ? "" : record.EventId,
            Source = "life",
            Device = action.Device ?? "",
        };
        switch (action.Kind)
        {
            case ActionKind.Login:
                message.Login = new Login();
                break;
            case ActionKind.Watch:
                message.Watch = new Watch
                {
                    ShowId = showId,
                    EpisodeId = action.EpisodeId ?? "",
                    Played = action.Played is { } played ? Duration.FromTimeSpan(played) : null,
                    Length = action.Length is { } length ? Duration.FromTimeSpan(length) : null,
                };
                break;
            case ActionKind.Save:
                message.Save = new Save { ShowId = showId };
                break;
            case ActionKind.Unsave:
                message.Unsave = new Unsave { ShowId = showId };
                break;
            case ActionKind.Like:
                message.Like = new Like { ShowId = showId };
                break;
            case ActionKind.Dislike:
                message.Dislike = new Dislike { ShowId = showId };
                break;
            case ActionKind.Impression:
                message.Impression = new Impression { ShowId = showId, Clicked = action.Clicked };
                break;
            case ActionKind.ProfileUpdate:
                message.ProfileUpdate = new ProfileUpdate();
                message.ProfileUpdate.Attributes.Add(action.Attributes?.ToDictionary() ?? []);
                message.ProfileUpdate.Scenarios.Add(action.Scenarios ?? []);
                break;
            default:
                message.DeleteUser = new DeleteUser();
                break;
        }

        return message;
    }

    private static UserAction Action(Random random, DateTimeOffset time, bool deletes)
    {
        var device = Devices[random.Next(Devices.Length)];
        var series = $"series-{random.Next(3)}";
        var film = $"film-{random.Next(4)}";
        return random.Next(deletes ? 14 : 13) switch
        {
            0 => new UserAction(ActionKind.Login, time) { Device = device },
            1 or 2 or 3 => new UserAction(ActionKind.Watch, time)
            {
                ShowId = series,
                EpisodeId = $"episode-{random.Next(5)}",
                Played = TimeSpan.FromSeconds(random.Next(4000)),
                Length = TimeSpan.FromSeconds(3600),
                Device = device,
            },
            4 or 5 => new UserAction(ActionKind.Watch, time) { ShowId = film, Played = TimeSpan.FromSeconds(random.Next(9000)) },
            6 => new UserAction(ActionKind.Watch, time) { ShowId = film },
            7 => new UserAction(ActionKind.Save, time) { ShowId = film },
            8 => new UserAction(ActionKind.Unsave, time) { ShowId = film },
            9 => new UserAction(ActionKind.Like, time) { ShowId = series, Device = device },
            10 => new UserAction(ActionKind.Dislike, time) { ShowId = series },
            11 => new UserAction(ActionKind.Impression, time) { ShowId = film, Clicked = true },
            12 => new UserAction(ActionKind.ProfileUpdate, time)
            {
                Attributes = new Dictionary<string, string> { [$"a{random.Next(3)}"] = random.Next(3) == 0 ? "" : Values[random.Next(Values.Length)] },
                Scenarios = random.Next(2) == 0 ? [] : ["home", $"s{random.Next(2)}"],
            },
            _ => new UserAction(ActionKind.DeleteUser, time),
        };
    }
}
