using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nearline.Model.Bundles;

/// <summary>The text of a rollout: JSON with a schema, refused by field, value and what would be right.</summary>
internal static class RolloutFile
{
    private const int Schema = 1;
    private const int MaxName = 64;
    private const double LeastPercent = 0.01;

    /// <summary>A name that means the canary.</summary>
    private const string CanaryName = "canary";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static byte[] Write(Rollout rollout) =>
        JsonSerializer.SerializeToUtf8Bytes(new Content(Schema, rollout.Canary, rollout.Experiments), Json);

    /// <exception cref="BundleException">It is damaged.</exception>
    public static Rollout Parse(ReadOnlySpan<byte> json, string path)
    {
        Content content;
        try
        {
            content = JsonSerializer.Deserialize<Content>(json, Json) ?? throw new BundleException(path, "expected an object, found null");
        }
        catch (JsonException e)
        {
            throw new BundleException(path, $"expected a rollout, found {e.Path ?? "something else"}: {e.Message}", e);
        }

        if (content.Schema != Schema)
        {
            throw new BundleException(path, $"schema is {content.Schema}; this version reads {Schema}");
        }

        if (content.Canary is { } canary)
        {
            CheckVersion(canary.Version, "canary.version", path);
            Check(canary, path);
        }

        var experiments = content.Experiments ?? [];
        if (experiments.Count > Rollout.MaxExperiments)
        {
            throw new BundleException(path, $"experiments has {experiments.Count} entries; at most {Rollout.MaxExperiments} are allowed");
        }

        foreach (var experiment in experiments)
        {
            CheckVersion(experiment.Version, $"experiments.{experiment.Name}.version", path);
            Check(experiment, path);
        }

        return experiments.GroupBy(e => e.Name).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? throw new BundleException(path, $"experiments has '{twice.Key}' {twice.Count()} times; a name may occur once")
            : new Rollout(content.Canary, experiments);
    }

    public static string CheckVersion(string version, string field, string path) => BundleVersion.IsName(version)
        ? version
        : throw new BundleException(path, $"{field} is '{version}'; the name of a bundle is needed");

    public static CanaryRelease Check(CanaryRelease canary, string path)
    {
        CheckPercent(canary.Percent, "canary.percent", path);
        return canary;
    }

    public static Experiment Check(Experiment experiment, string path)
    {
        var name = experiment.Name;
        if (name is not { Length: > 0 and <= MaxName } || name == CanaryName ||
            !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
        {
            throw new BundleException(
                path, $"experiments.name is '{name}'; 1 to {MaxName} small letters, digits, '-' and '_' are needed, and not '{CanaryName}'");
        }

        CheckPercent(experiment.Percent, $"experiments.{name}.percent", path);
        return experiment;
    }

    private static void CheckPercent(double percent, string field, string path)
    {
        if (!(percent is >= LeastPercent and <= 100))
        {
            throw new BundleException(path, string.Create(CultureInfo.InvariantCulture, $"{field} is {percent}; {LeastPercent} to 100 is needed"));
        }
    }

    private sealed record Content(int Schema, CanaryRelease? Canary = null, IReadOnlyList<Experiment>? Experiments = null);
}
