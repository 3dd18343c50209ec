using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Cli.Publishing;

/// <summary>Turns a data set's users and actions into the messages that a producer publishes.</summary>
internal static class UserEvents
{
    /// <summary>The profile of a user, as an event of the given time.</summary>
    public static UserEvent Profile(UserProfile user, DateTimeOffset time)
    {
        var update = new ProfileUpdate();
        update.Attributes.Add(user.Attributes.ToDictionary(StringComparer.Ordinal));
        update.Scenarios.AddRange(user.Scenarios);
        return new UserEvent
        {
            UserId = user.Id,
            EventTime = time.ToTimestamp(),
            EventId = $"{user.Id}:profile",
            ProfileUpdate = update,
        };
    }

    /// <summary>One action of a user; its id is the user's and the action's place in the log, so a replay is recognised.</summary>
    public static UserEvent Action(string userId, int index, UserAction action)
    {
        var message = new UserEvent
        {
            UserId = userId,
            EventTime = action.Time.ToTimestamp(),
            EventId = string.Create(CultureInfo.InvariantCulture, $"{userId}:{index}"),
            Scenario = action.Scenario ?? "",
            Device = action.Device ?? "",
        };
        var show = action.ShowId ?? "";
        switch (action.Kind)
        {
            case ActionKind.Login:
                message.Login = new Login();
                break;
            case ActionKind.Watch:
                message.Watch = new Watch
                {
                    ShowId = show,
                    EpisodeId = action.EpisodeId ?? "",
                    Played = action.Played?.ToDuration(),
                    Length = action.Length?.ToDuration(),
                };
                break;
            case ActionKind.Save:
                message.Save = new Save { ShowId = show };
                break;
            case ActionKind.Unsave:
                message.Unsave = new Unsave { ShowId = show };
                break;
            case ActionKind.Like:
                message.Like = new Like { ShowId = show };
                break;
            case ActionKind.Dislike:
                message.Dislike = new Dislike { ShowId = show };
                break;
            case ActionKind.Impression:
                message.Impression = new Impression { ShowId = show, Clicked = action.Clicked };
                break;
            case ActionKind.ProfileUpdate:
                message.ProfileUpdate = new ProfileUpdate();
                message.ProfileUpdate.Attributes.Add(
                    (action.Attributes ?? new Dictionary<string, string>()).ToDictionary(StringComparer.Ordinal));
                message.ProfileUpdate.Scenarios.AddRange(action.Scenarios ?? []);
                break;
            case ActionKind.DeleteUser:
                message.DeleteUser = new DeleteUser();
                break;
            default:
                throw new ArgumentException($"kind: {action.Kind} is not an action", nameof(action));
        }

        return message;
    }

    /// <summary>All of a user's messages: the profile, then each action in order.</summary>
    public static IEnumerable<UserEvent> Of(UserLog log)
    {
        var first = log.Actions.Count > 0 ? log.Actions[0].Time : DateTimeOffset.UnixEpoch;
        yield return Profile(log.User, first);
        for (var i = 0; i < log.Actions.Count; i++)
        {
            yield return Action(log.User.Id, i, log.Actions[i]);
        }
    }

    /// <summary>All users' messages, merged by time as they would have come; a user's own order is kept.</summary>
    public static IEnumerable<UserEvent> Merged(IReadOnlyList<UserLog> users)
    {
        var queue = new PriorityQueue<(IEnumerator<UserEvent> Events, int User), (DateTimeOffset Time, int User)>();
        try
        {
            for (var i = 0; i < users.Count; i++)
            {
                Advance(Of(users[i]).GetEnumerator(), i);
            }

            while (queue.TryDequeue(out var next, out _))
            {
                yield return next.Events.Current;
                Advance(next.Events, next.User);
            }
        }
        finally
        {
            while (queue.TryDequeue(out var rest, out _))
            {
                rest.Events.Dispose();
            }
        }

        void Advance(IEnumerator<UserEvent> events, int user)
        {
            if (events.MoveNext())
            {
                queue.Enqueue((events, user), (events.Current.EventTime.ToDateTimeOffset(), user));
            }
            else
            {
                events.Dispose();
            }
        }
    }
}
