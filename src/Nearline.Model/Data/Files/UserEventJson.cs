using System.Text.Json;
using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Files;

/// <summary>
/// A line of events.jsonl: nearline.events.v1.UserEvent in protobuf's JSON form. A dataset keeps neither eventId nor
/// source; lines that have them are read without.
/// </summary>
internal static class UserEventJson
{
    private static readonly string Known =
        "userId, eventTime, eventId, source, scenario, device and one of " + ActionNames.All + " are known";

    public static void Write(Utf8JsonWriter json, string userId, UserAction action)
    {
        json.WriteStartObject();
        json.WriteString("userId", userId);
        json.WriteString("eventTime", ProtoTime.Format(action.Time));
        JsonOutput.Text(json, "scenario", action.Scenario);
        JsonOutput.Text(json, "device", action.Device);
        json.WriteStartObject(ActionNames.Of(action.Kind)!);
        JsonOutput.Text(json, "showId", action.ShowId);
        switch (action.Kind)
        {
            case ActionKind.Watch:
                JsonOutput.Text(json, "episodeId", action.EpisodeId);
                JsonOutput.Duration(json, "played", action.Played);
                JsonOutput.Duration(json, "length", action.Length);
                break;
            case ActionKind.Impression when action.Clicked:
                json.WriteBoolean("clicked", true);
                break;
            case ActionKind.ProfileUpdate:
                JsonOutput.Map(json, "attributes", action.Attributes);
                JsonOutput.Texts(json, "scenarios", action.Scenarios);
                break;
            default:
                break;
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static DatasetEvent Read(JsonElement line, DatasetPosition at)
    {
        string userId = "";
        string? scenario = null, device = null;
        DateTimeOffset? time = null;
        UserAction? action = null;
        foreach (var field in JsonFields.Of(line, "", at))
        {
            var (name, value) = (field.Name, field.Value);
            switch (name)
            {
                case "userId":
                    userId = JsonFields.Text(value, name, at);
                    break;
                case "eventTime":
                    time = JsonFields.Time(value, name, at);
                    break;
                case "eventId" or "source":
                    JsonFields.Text(value, name, at);
                    break;
                case "scenario":
                    scenario = NotEmpty(JsonFields.Text(value, name, at));
                    break;
                case "device":
                    device = NotEmpty(JsonFields.Text(value, name, at));
                    break;
                default:
                    var kind = ActionNames.Parse(name) ?? throw JsonFields.Unknown(name, Known, at);
                    action = action is null
                        ? ReadAction(kind, name, value, at)
                        : throw at.Fail(name, $"a second action beside {ActionNames.Of(action.Kind)}; a line has one");
                    break;
            }
        }

        if (time is not { } when)
        {
            throw at.Fail("eventTime", "missing; a time in RFC 3339, such as \"2026-11-22T01:30:00Z\"");
        }

        return action is null
            ? throw at.Fail("action", $"missing; one of {ActionNames.All}")
            : new DatasetEvent(userId, action with { Time = when, Scenario = scenario, Device = device });
    }

    private static UserAction ReadAction(ActionKind kind, string action, JsonElement element, DatasetPosition at)
    {
        var read = new UserAction(kind, default);
        foreach (var property in JsonFields.Of(element, action, at))
        {
            var value = property.Value;
            var field = $"{action}.{property.Name}";
            read = (property.Name, kind) switch
            {
                ("showId", _) when ActionNames.IsAboutShow(kind) =>
                    read with { ShowId = NotEmpty(JsonFields.Text(value, field, at)) },
                ("episodeId", ActionKind.Watch) =>
                    read with { EpisodeId = NotEmpty(JsonFields.Text(value, field, at)) },
                ("played", ActionKind.Watch) => read with { Played = JsonFields.Duration(value, field, at) },
                ("length", ActionKind.Watch) => read with { Length = JsonFields.Duration(value, field, at) },
                ("clicked", ActionKind.Impression) => read with { Clicked = JsonFields.Flag(value, field, at) },
                ("attributes", ActionKind.ProfileUpdate) =>
                    read with { Attributes = JsonFields.Map(value, field, at) },
                ("scenarios", ActionKind.ProfileUpdate) =>
                    read with { Scenarios = JsonFields.Texts(value, field, at) },
                _ => throw JsonFields.Unknown(field, $"not a field of {action}", at),
            };
        }

        return read;
    }

    private static string? NotEmpty(string text) => text.Length == 0 ? null : text;
}
