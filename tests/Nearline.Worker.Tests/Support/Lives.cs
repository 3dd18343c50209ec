using Nearline.Contracts;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;

namespace Nearline.Worker.Tests.Support;

/// <summary>Random but repeatable lives of users.</summary>
internal static class Lives
{
    private static readonly string?[] Devices = [null, "tv", "phone"];

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
                Action(random, Records.Now.AddMinutes(log.Count + random.Next(-6, 6)), deletes),
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
                Attributes = new Dictionary<string, string> { [$"a{random.Next(3)}"] = random.Next(3) == 0 ? "" : $"v{random.Next(3)}" },
                Scenarios = random.Next(2) == 0 ? [] : ["home", $"s{random.Next(2)}"],
            },
            _ => new UserAction(ActionKind.DeleteUser, time),
        };
    }
}
