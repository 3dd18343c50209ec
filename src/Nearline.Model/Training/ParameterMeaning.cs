using System.Globalization;
using Nearline.Model.Features;

namespace Nearline.Model.Training;

/// <summary>What a parameter and the places along its axes stand for, whatever their numbers in a schema.</summary>
/// <param name="Name">The parameter's name with scenarios and fields in place of their indices.</param>
/// <param name="Rows">What each place of the first axis stands for; null where only the position tells.</param>
/// <param name="Columns">The same of the second axis.</param>
internal sealed record ParameterMeaning(string Name, IReadOnlyList<string>? Rows = null, IReadOnlyList<string>? Columns = null);

/// <summary>Tells what the parameters of a model stand for, so that those of two catalogs can be compared.</summary>
internal sealed class ParameterMeanings
{
    private readonly FeatureSchema schema;
    private readonly M5Config config;
    private readonly string[] shows;
    private readonly string[] narrowRows;
    private readonly (string Name, int Width)[] crossed;
    private readonly string[] projected;
    private readonly string[] mixed;
    private readonly string[] weighted;

    /// <param name="schema">The model's schema.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="buckets">The schema after whose buckets numbers are named: a bucket is the one its middle lies in.</param>
    public ParameterMeanings(FeatureSchema schema, M5Config config, FeatureSchema buckets)
    {
        this.schema = schema;
        this.config = config;
        shows = ["[PAD]", "[OOV]", "[MASK]", .. schema.Shows.Select(s => $"show {s.Id}")];
        narrowRows =
        [
            .. schema.Attributes.SelectMany(a => RowsOf(a, buckets.Attributes.FirstOrDefault(b => b.Name == a.Name))),
            .. Numbered("hour", 1 + 24),
            .. Numbered("weekday", 1 + 7),
            .. Numbered("elapsed", Buckets.Elapseds),
            "device ?",
            .. schema.Devices.Select(d => $"device = {d}"),
        ];
        (string Name, int Width)[] narrow =
        [
            .. schema.Attributes.Select(a => ($"attribute {a.Name}", config.FieldWidth)),
            .. new[] { "hour", "weekday", "elapsed", "device" }.Select(f => (f, config.FieldWidth)),
        ];
        var channels = config.Channels == ModelChannels.Single ? 2 : 1;
        crossed =
        [
            .. Enumerable.Range(0, channels).SelectMany(c => schema.Slots
                .Select(slot => $"channel {c} {(SequenceSlot)slot}")
                .Concat(config.LastWatch ? [$"channel {c} last watch"] : [])
                .Select(name => (name, config.Width))),
            ("tags", config.TagWidth),
            .. narrow,
        ];
        var indicator = config.ScenarioIndicator ? [("scenario", config.ScenarioWidth)] : Array.Empty<(string, int)>();
        projected = config.ScenarioIndicator ? [.. crossed.Where(f => f.Width != config.ScenarioWidth).Select(f => f.Name)] : [];
        mixed = [.. Columns([.. crossed, .. indicator]), .. config.ScenarioIndicator ? crossed.Select(f => $"scenario x {f.Name}") : []];
        weighted = [.. Columns([("tags", config.TagWidth), .. narrow, .. indicator])];
    }

    /// <summary>The meaning of a parameter.</summary>
    /// <param name="parameter">Its name in the module tree.</param>
    public ParameterMeaning Of(string parameter)
    {
        var parts = parameter.Split('.');
        return parts switch
        {
            ["embedding", "id" or "cg", "weight"] => new(parameter, shows),
            ["embedding", "tags", "weight"] => new(parameter, schema.Tags.Count == 0 ? ["none"] : [.. schema.Tags.Select(t => t.Value)]),
            ["embedding", "fields", "weight"] => new(parameter, narrowRows),
            ["embedding", "scenario", "weight"] => new(parameter, schema.Scenarios),

            // The position index, whose rows are as many as the behaviours kept, is its last feature.
            ["embedding", "subsidiary", "weight"] => new(parameter, [.. Numbered("row", 1 + Subsidiaries.Sizes(schema.MaxLength)[..config.EmbeddedSubsidiaries].Sum())]),
            ["embedding", "metadata", "tables", var field, "weight"] => Metadata(schema.Metadata![Index(field)]),
            ["idCrossing" or "cgCrossing", "projections", var at, "weight"] => new($"{parts[0]}.projections.{projected[Index(at)]}"),
            ["weighting", "mlp", "first", "weight"] => new(parameter, Columns: weighted),
            ["idExperts" or "cgExperts", .. var inside] => Mixer(parts[0], inside),
            _ => new(parameter),
        };
    }

    private static ParameterMeaning Metadata(MetadataField field) =>
        field.Values.Count == field.Size
            ? new($"embedding.metadata.{field.Name}", field.Values)
            : new($"embedding.metadata.{field.Name} of unknown values");

    private static IEnumerable<string> RowsOf(AttributeField field, AttributeField? buckets)
    {
        yield return $"attribute {field.Name} ?";
        foreach (var value in field.Values)
        {
            yield return $"attribute {field.Name} = {value}";
        }

        for (var i = 0; field.Boundaries.Count > 0 && i <= field.Boundaries.Count; i++)
        {
            var middle = i == 0 ? Math.BitDecrement(field.Boundaries[0])
                : i == field.Boundaries.Count ? field.Boundaries[^1]
                : (field.Boundaries[i - 1] + field.Boundaries[i]) / 2;
            var row = (buckets is { Boundaries.Count: > 0 } ? buckets : field).RowOf(middle.ToString("R", CultureInfo.InvariantCulture));
            yield return $"attribute {field.Name} bucket {row}";
        }
    }

    private static IEnumerable<string> Numbered(string name, int count) => Enumerable.Range(0, count).Select(i => $"{name} {i}");

    private static IEnumerable<string> Columns(IEnumerable<(string Name, int Width)> fields) =>
        fields.SelectMany(f => Numbered(f.Name, f.Width));

    private static int Index(string part) => int.Parse(part, CultureInfo.InvariantCulture);

    /// <summary>The layers that <c>ScenarioMixer.Of</c> makes: some are a scenario's own, those that see f_s know its fields.</summary>
    private ParameterMeaning Mixer(string module, string[] inside)
    {
        var name = $"{module}.{string.Join('.', inside)}";
        switch (inside)
        {
            case ["post", var s, .. var rest]:
                return new($"{module}.post.{schema.Scenarios[Index(s)]}.{string.Join('.', rest)}");
            case ["lower", var level, .. var of]:
                return Level($"{module}.lower.{level}", of, seesFields: level == "0");
            case ["last", .. var of]:
                return Level($"{module}.last", of, seesFields: config.MixingLevels == 1);
            case [.., "first", "weight"]:
                return new(name, Columns: mixed);
            default:
                return new(name);
        }
    }

    private ParameterMeaning Level(string level, string[] inside, bool seesFields)
    {
        var own = config.ScenarioExperts;
        string[] named = inside switch
        {
            ["gates", var s, .. var rest] => ["gates", schema.Scenarios[Index(s)], .. rest],
            ["ownExperts", var e, .. var rest] =>
                ["ownExperts", schema.Scenarios[Index(e) / own], (Index(e) % own).ToString(CultureInfo.InvariantCulture), .. rest],
            _ => inside,
        };
        return new(
            $"{level}.{string.Join('.', named)}",
            inside is ["sharedGate", "second", ..]
                ? [.. Numbered("shared", config.Experts), .. schema.Scenarios.SelectMany(s => Numbered($"of {s}", own))]
                : null,
            seesFields && inside is [.., "first", "weight"] ? mixed : null);
    }
}
