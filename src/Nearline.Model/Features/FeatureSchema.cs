using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Features;

/// <summary>A show as the features know it.</summary>
/// <param name="Id">The show's id.</param>
/// <param name="Category">Its category, which decides the sequence of its watches.</param>
/// <param name="Tags">Indices into <see cref="FeatureSchema.Tags"/>.</param>
public sealed record SchemaShow(string Id, ShowCategory Category, IReadOnlyList<int> Tags);

/// <summary>A tag of the catalog.</summary>
/// <param name="Value">The tag.</param>
/// <param name="Idf">Its inverse document frequency over the catalog's shows.</param>
public sealed record SchemaTag(string Value, float Idf);

/// <summary>
/// What a model's inputs mean: vocabularies and fields, declared once, stored in the bundle, and used by training and
/// serving alike. Bucket scales are code (<see cref="Buckets"/>), guarded by <see cref="Version"/>.
/// </summary>
public sealed record FeatureSchema
{
    /// <summary>The version that this code encodes for: 2 since attributes may have several values.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Row of padding in the show tables.</summary>
    public const int PadRow = 0;

    /// <summary>Row of shows without an ID embedding of their own; zero until trained.</summary>
    public const int UnknownShowRow = 1;

    /// <summary>Row of the MLM loss's [MASK].</summary>
    public const int MaskRow = 2;

    /// <summary>Row of the first show: show i of <see cref="Shows"/> has row i + this.</summary>
    public const int FirstShowRow = 3;

    /// <summary>The version of the bucket scales that the schema was made for.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Behaviours kept of a sequence, the newest ones.</summary>
    public required int MaxLength { get; init; }

    /// <summary>Whether watches are split by category into sequences.</summary>
    public bool Categorize { get; init; } = true;

    /// <summary>The sequences that training saw behaviours of; a model has no part for the others. Null: all.</summary>
    public IReadOnlyList<SequenceSlot>? Sequences { get; init; }

    /// <summary>The slots of those sequences.</summary>
    [JsonIgnore]
    internal IReadOnlyList<int> Slots =>
        [.. SequenceSlots.Used(Categorize).Where(slot => Sequences?.Contains((SequenceSlot)slot) ?? true)];

    /// <summary>The shows' raw metadata, for models that embed it; null for the others.</summary>
    public IReadOnlyList<MetadataField>? Metadata { get; init; }

    /// <summary>The shows; their order is the order of the index's rows.</summary>
    public required IReadOnlyList<SchemaShow> Shows { get; init; }

    /// <summary>The tags of the user's TF-IDF feature.</summary>
    public required IReadOnlyList<SchemaTag> Tags { get; init; }

    /// <summary>User attribute fields.</summary>
    public required IReadOnlyList<AttributeField> Attributes { get; init; }

    /// <summary>Known device types.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>The scenarios, in the order of their rows.</summary>
    public required IReadOnlyList<string> Scenarios { get; init; }

    /// <summary>Rows of the show tables.</summary>
    [JsonIgnore]
    public int ShowRows => FirstShowRow + Shows.Count;

    /// <summary>
    /// Sizes of the narrow fields, each with row 0 for unknown: attributes, then hour of day, day of week, time since
    /// the last behaviour, device.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<int> FieldSizes =>
        [.. Attributes.Select(a => a.Size), 1 + 24, 1 + 7, Buckets.Elapseds, 1 + Devices.Count];

    /// <summary>Fields of the user among <see cref="FieldSizes"/>; the rest tell the context.</summary>
    [JsonIgnore]
    public int UserFields => Attributes.Count;

    /// <summary>Reads vocabularies off a data set's training part.</summary>
    /// <param name="dataset">The catalog, the scenarios and the logs that may be learned from.</param>
    /// <param name="maxLength">Behaviours kept of a sequence.</param>
    /// <exception cref="ArgumentException">The data set has no shows or no scenarios, or a show twice.</exception>
    public static FeatureSchema Build(Dataset dataset, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        if (dataset.Shows.Count == 0)
        {
            throw new ArgumentException("shows: empty; a model needs a catalog of at least one show", nameof(dataset));
        }

        if (dataset.Scenarios.Count == 0)
        {
            throw new ArgumentException("scenarios: empty; a model needs at least one", nameof(dataset));
        }

        if (dataset.Shows.GroupBy(s => s.Id, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"shows: '{twice.Key}' is there {twice.Count()} times; ids must differ", nameof(dataset));
        }

        var tags = BuildTags(dataset.Shows);
        var tagRows = tags.Select((t, i) => (t.Value, i)).ToDictionary(p => p.Value, p => p.i, StringComparer.Ordinal);
        return new FeatureSchema
        {
            MaxLength = maxLength,
            Tags = tags,
            Shows =
            [
                .. dataset.Shows.Select(s => new SchemaShow(
                    s.Id,
                    s.Category,
                    [.. s.Tags.Distinct(StringComparer.Ordinal).Where(tagRows.ContainsKey).Select(t => tagRows[t])])),
            ],
            Attributes = BuildAttributes(dataset),
            Devices =
            [
                .. dataset.Users.SelectMany(u => u.Actions).Select(a => a.Device).OfType<string>().Where(d => d.Length > 0)
                    .GroupBy(d => d, StringComparer.Ordinal).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
                    .Take(64).Select(g => g.Key),
            ],
            Scenarios = [.. dataset.Scenarios.Select(s => s.Id)],
        };
    }

    /// <summary>A hash over all of it.</summary>
    internal string Fingerprint() =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this)));

    /// <summary>The sequences that somebody's behaviours are in; null where nobody did anything.</summary>
    internal static IReadOnlyList<SequenceSlot>? SequencesIn(Dataset dataset, bool categorize)
    {
        var categories = dataset.Shows.ToDictionary(s => s.Id, s => s.Category, StringComparer.Ordinal);
        var found = new SortedSet<SequenceSlot>();
        foreach (var action in dataset.Users.SelectMany(u => u.Actions))
        {
            if (action.ShowId is { } show && categories.TryGetValue(show, out var category) && KindOf(action.Kind) is { } kind)
            {
                found.Add(SequenceSlots.Of(kind, category, categorize));
            }
        }

        return found.Count > 0 ? [.. found] : null;
    }

    private static BehaviourKind? KindOf(ActionKind action) => action switch
    {
        ActionKind.Watch => BehaviourKind.Watch,
        ActionKind.Save => BehaviourKind.Save,
        ActionKind.Like => BehaviourKind.Like,
        ActionKind.Dislike => BehaviourKind.Dislike,
        _ => null,
    };

    private static List<SchemaTag> BuildTags(IReadOnlyList<Show> shows)
    {
        const int maxTags = 5000;
        return
        [
            .. shows.SelectMany(s => s.Tags.Distinct(StringComparer.Ordinal))
                .GroupBy(t => t, StringComparer.Ordinal)
                .Select(g => (Tag: g.Key, Count: g.Count()))
                .Where(t => t.Count >= 2)
                .OrderByDescending(t => t.Count).ThenBy(t => t.Tag, StringComparer.Ordinal)
                .Take(maxTags)
                .Select(t => new SchemaTag(t.Tag, (float)Math.Log((1.0 + shows.Count) / (1.0 + t.Count)) + 1)),
        ];
    }

    private static List<AttributeField> BuildAttributes(Dataset dataset)
    {
        var seen = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        void See(IEnumerable<KeyValuePair<string, string>> attributes)
        {
            foreach (var (name, value) in attributes)
            {
                if (value.Length > 0)
                {
                    (seen.TryGetValue(name, out var values) ? values : seen[name] = []).Add(value);
                }
            }
        }

        foreach (var user in dataset.Users)
        {
            See(user.User.Attributes);
            foreach (var action in user.Actions)
            {
                See(action.Attributes ?? Enumerable.Empty<KeyValuePair<string, string>>());
            }
        }

        return [.. seen.Select(s => AttributeField.From(s.Key, s.Value)).OfType<AttributeField>()];
    }
}
