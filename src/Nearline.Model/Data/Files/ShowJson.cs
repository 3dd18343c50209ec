using System.Text.Json;
using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Files;

/// <summary>A line of shows.jsonl: nearline.catalog.v1.Show in protobuf's JSON form.</summary>
internal static class ShowJson
{
    private const string Known =
        "showId, title, category, tags, cast, description, releaseYear, availableFrom, availableUntil, directors and brands are known";

    public static void Write(Utf8JsonWriter json, Show show)
    {
        json.WriteStartObject();
        json.WriteString("showId", show.Id);
        JsonOutput.Text(json, "title", show.Title);
        json.WriteString("category", CategoryNames.Of(show.Category));
        JsonOutput.Texts(json, "tags", show.Tags);
        JsonOutput.Texts(json, "cast", show.Cast);
        JsonOutput.Text(json, "description", show.Description);
        if (show.ReleaseYear is { } year)
        {
            json.WriteNumber("releaseYear", year);
        }

        JsonOutput.Time(json, "availableFrom", show.AvailableFrom);
        JsonOutput.Time(json, "availableUntil", show.AvailableUntil);
        JsonOutput.Texts(json, "directors", show.Directors);
        JsonOutput.Texts(json, "brands", show.Brands);
        json.WriteEndObject();
    }

    public static Show Read(JsonElement line, DatasetPosition at)
    {
        var show = new Show("", default);
        foreach (var field in JsonFields.Of(line, "", at))
        {
            var (name, value) = (field.Name, field.Value);
            show = name switch
            {
                "showId" => show with { Id = JsonFields.Text(value, name, at) },
                "title" => show with { Title = JsonFields.Text(value, name, at) },
                "category" => show with { Category = Category(value, name, at) },
                "tags" => show with { Tags = JsonFields.Texts(value, name, at) },
                "cast" => show with { Cast = JsonFields.Texts(value, name, at) },
                "description" => show with { Description = JsonFields.Text(value, name, at) },
                "releaseYear" => show with { ReleaseYear = Year(value, name, at) },
                "availableFrom" => show with { AvailableFrom = JsonFields.Time(value, name, at) },
                "availableUntil" => show with { AvailableUntil = JsonFields.Time(value, name, at) },
                "directors" => show with { Directors = JsonFields.Texts(value, name, at) },
                "brands" => show with { Brands = JsonFields.Texts(value, name, at) },
                _ => throw JsonFields.Unknown(name, Known, at),
            };
        }

        return show.Category == default ? throw at.Fail("category", $"missing; {CategoryNames.All}") : show;
    }

    public static ShowCategory Category(JsonElement value, string field, DatasetPosition at) =>
        CategoryNames.Parse(JsonFields.Text(value, field, at)) ??
        throw JsonFields.Wrong(value, field, CategoryNames.All, at);

    // Zero is protobuf's way to say nothing.
    private static int? Year(JsonElement value, string field, DatasetPosition at) =>
        JsonFields.Int32(value, field, at) is var year and not 0 ? year : null;
}
