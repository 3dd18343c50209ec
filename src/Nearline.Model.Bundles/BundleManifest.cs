using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Model.Data;

namespace Nearline.Model.Bundles;

/// <summary>manifest.json: what a bundle is and what its files must be.</summary>
public sealed record BundleManifest
{
    /// <summary>The layout that this code writes, and the only one that it reads.</summary>
    public const int CurrentSchema = 1;

    /// <summary>The name of the file.</summary>
    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The layout of the bundle.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>The bundle's version, which is also its directory's name.</summary>
    public required string Version { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The kind of model: <c>m5</c>.</summary>
    public string Kind { get; init; } = "m5";

    /// <summary>The model's hyper-parameters, as the model writes them.</summary>
    public required JsonElement Hyperparameters { get; init; }

    /// <summary>The scenarios that the model serves.</summary>
    public required IReadOnlyList<Scenario> Scenarios { get; init; }

    /// <summary>How many shows its index has.</summary>
    public required int ItemCount { get; init; }

    /// <summary>Evaluation results recorded at training, such as <c>hr20</c>.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>The fingerprint of the dataset that it was trained on.</summary>
    public string DataFingerprint { get; init; } = "";

    /// <summary>Every file of the bundle but the manifest and its checksum, by name. The writer fills it in.</summary>
    public IReadOnlyDictionary<string, BundleFile> Files { get; init; } = new Dictionary<string, BundleFile>();

    /// <summary>The file's bytes: UTF-8 JSON, names sorted.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(
        this with
        {
            Metrics = new SortedDictionary<string, double>(Metrics.ToDictionary(), StringComparer.Ordinal),
            Files = new SortedDictionary<string, BundleFile>(Files.ToDictionary(), StringComparer.Ordinal),
        },
        Json);

    /// <summary>Reads and checks the file's bytes.</summary>
    /// <param name="json">The bytes.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="BundleException">It is of another schema, or not a manifest.</exception>
    public static BundleManifest Parse(ReadOnlySpan<byte> json, string path)
    {
        try
        {
            // The schema first: a manifest of another layout is refused as such, not for its unknown fields.
            var reader = new Utf8JsonReader(json);
            using (var document = JsonDocument.ParseValue(ref reader))
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object ||
                    !document.RootElement.TryGetProperty("schema", out var schema))
                {
                    throw new BundleException(path, "schema: missing; not a manifest");
                }

                if (schema.ValueKind != JsonValueKind.Number || !schema.TryGetInt32(out var number) || number != CurrentSchema)
                {
                    throw new BundleException(path, $"schema: expected {CurrentSchema}, found {schema.GetRawText()}");
                }
            }

            return JsonSerializer.Deserialize<BundleManifest>(json, Json) ?? throw new BundleException(path, "empty");
        }
        catch (JsonException e)
        {
            throw new BundleException(path, $"not a manifest: {e.Message}", e);
        }
    }
}
