using System.Globalization;
using System.Text.Json;

namespace Nearline.Model.Data.Files;

/// <summary>Typed values of JSON fields; what does not fit is an error that names file, line, field and value.</summary>
internal static class JsonFields
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    public static JsonDocument Parse(ReadOnlyMemory<byte> json, DatasetPosition at)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException e)
        {
            throw at.Fail("", $"not JSON: {e.Message}", e);
        }
    }

    /// <summary>The fields of an object; null values are left out, as in protobuf's JSON form.</summary>
    public static IEnumerable<JsonProperty> Of(JsonElement element, string field, DatasetPosition at)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(element, field, "an object, {...}", at);
        }

        return element.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null);
    }

    public static string Text(JsonElement value, string field, DatasetPosition at)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(value, field, "a text, \"...\"", at);
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw at.Fail(field, "a text that is not valid UTF-8 or UTF-16", e);
        }
    }

    public static string[] Texts(JsonElement value, string field, DatasetPosition at)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(value, field, "a list of texts, [\"...\"]", at);
        }

        return [.. value.EnumerateArray().Select(item => Text(item, field, at))];
    }

    public static Dictionary<string, string> Map(JsonElement value, string field, DatasetPosition at)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in Of(value, field, at))
        {
            map[property.Name] = Text(property.Value, $"{field}['{property.Name}']", at);
        }

        return map;
    }

    public static bool Flag(JsonElement value, string field, DatasetPosition at) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(value, field, "true or false", at),
    };

    public static int Int32(JsonElement value, string field, DatasetPosition at) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw Wrong(value, field, "a whole number of 32 bits", at);

    public static DateTimeOffset Time(JsonElement value, string field, DatasetPosition at) =>
        ProtoTime.ParseTime(Text(value, field, at)) ??
        throw Wrong(value, field, "a time in RFC 3339, such as \"2026-11-22T01:30:00Z\"", at);

    public static TimeSpan Duration(JsonElement value, string field, DatasetPosition at) =>
        ProtoTime.ParseDuration(Text(value, field, at)) ??
        throw Wrong(value, field, "a duration in seconds, such as \"90s\" or \"1.500s\"", at);

    public static DatasetException Unknown(string field, string known, DatasetPosition at) =>
        at.Fail(field, $"unknown field; {known}");

    public static DatasetException Wrong(JsonElement value, string field, string right, DatasetPosition at)
    {
        var raw = value.GetRawText();
        raw = raw.Length > 80 ? string.Create(CultureInfo.InvariantCulture, $"{raw.AsSpan(0, 80)}...") : raw;
        return at.Fail(field, $"{raw}: must be {right}");
    }
}
