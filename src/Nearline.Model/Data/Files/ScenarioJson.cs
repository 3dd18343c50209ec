using System.Text.Json;

namespace Nearline.Model.Data.Files;

/// <summary>An entry of scenarios.json.</summary>
internal static class ScenarioJson
{
    public static void Write(Utf8JsonWriter json, Scenario scenario)
    {
        json.WriteStartObject();
        json.WriteString("id", scenario.Id);
        JsonOutput.Text(json, "description", scenario.Description);
        JsonOutput.Texts(json, "poolCategories", [.. scenario.PoolCategories.Select(CategoryNames.Of)]);
        json.WriteEndObject();
    }

    public static Scenario Read(JsonElement entry, DatasetPosition at)
    {
        var scenario = new Scenario("");
        foreach (var field in JsonFields.Of(entry, "", at))
        {
            var (name, value) = (field.Name, field.Value);
            scenario = name switch
            {
                "id" => scenario with { Id = JsonFields.Text(value, name, at) },
                "description" => scenario with { Description = JsonFields.Text(value, name, at) },
                "poolCategories" when value.ValueKind == JsonValueKind.Array => scenario with
                {
                    PoolCategories = [.. value.EnumerateArray().Select(item => ShowJson.Category(item, name, at))],
                },
                "poolCategories" => throw JsonFields.Wrong(value, name, "a list of categories", at),
                _ => throw JsonFields.Unknown(name, "id, description and poolCategories are known", at),
            };
        }

        return scenario;
    }
}
