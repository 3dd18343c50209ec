using System.Text.Json;

namespace Nearline.Model.Data.Files;

/// <summary>A line of users.jsonl.</summary>
internal static class UserJson
{
    public static void Write(Utf8JsonWriter json, UserProfile user)
    {
        json.WriteStartObject();
        json.WriteString("userId", user.Id);
        JsonOutput.Map(json, "attributes", user.Attributes);
        JsonOutput.Texts(json, "scenarios", user.Scenarios);
        json.WriteEndObject();
    }

    public static UserProfile Read(JsonElement line, DatasetPosition at)
    {
        var user = new UserProfile("");
        foreach (var field in JsonFields.Of(line, "", at))
        {
            user = field.Name switch
            {
                "userId" => user with { Id = JsonFields.Text(field.Value, field.Name, at) },
                "attributes" => user with { Attributes = JsonFields.Map(field.Value, field.Name, at) },
                "scenarios" => user with { Scenarios = JsonFields.Texts(field.Value, field.Name, at) },
                _ => throw JsonFields.Unknown(field.Name, "userId, attributes and scenarios are known", at),
            };
        }

        return user;
    }
}
