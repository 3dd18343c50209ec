using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Evaluation;
using Nearline.Model.Training;

namespace Nearline.Cli.Comparing;

/// <summary>
/// An entry of a comparison: <c>[label: ]preset[/variant]|baseline [Name=value ...] [Graph=true] [Seeds=1,2]</c>, such
/// as <c>w/o MM: m5-small/wo-mm Epochs=20</c>.
/// </summary>
internal sealed class ComparedModel
{
    private const string SeedsName = "Seeds";
    private const string GraphName = "Graph";

    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    private readonly string[] assignments;

    private ComparedModel(string label, string entry, string source, string? variant, string[] assignments, IReadOnlyList<int>? seeds, bool usesGraph) =>
        (Label, Entry, Source, Variant, this.assignments, Seeds, UsesGraph) = (label, entry, source, variant, assignments, seeds, usesGraph);

    /// <summary>What the table calls it; the entry itself where no label was given.</summary>
    public string Label { get; }

    /// <summary>The entry without its label and seeds.</summary>
    public string Entry { get; }

    /// <summary>A preset of M5 or a baseline.</summary>
    public string Source { get; }

    /// <summary>The variant of a preset; null for a baseline.</summary>
    public string? Variant { get; }

    /// <summary>The entry's own seeds; null: those of the comparison.</summary>
    public IReadOnlyList<int>? Seeds { get; }

    /// <summary>Whether its CG embeddings start from the comparison's content graph.</summary>
    public bool UsesGraph { get; }

    /// <summary>Whether seeds make a difference.</summary>
    public bool IsSeeded => Variant is not null || Source == "sasrec";

    /// <summary>Reads an entry and checks all of it.</summary>
    /// <param name="text">The entry.</param>
    /// <param name="option">Where it stands, for errors: <c>--model</c>, or a file and line.</param>
    /// <exception cref="CliException">Something is unknown or makes no sense; the message says what would.</exception>
    public static ComparedModel Parse(string text, string option)
    {
        var colon = text.IndexOf(": ", StringComparison.Ordinal);
        var label = colon < 0 ? null : text[..colon].Trim();
        string[] words = [.. text[(colon < 0 ? 0 : colon + 2)..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
        if (words.Length == 0 || label is "")
        {
            throw new CliException($"{option} is '{text}'; it must be a preset or baseline, with a label before it or not, such as 'SASRec: sasrec'");
        }

        string[] seedWords = [.. words.Where(w => w.StartsWith(SeedsName + "=", StringComparison.OrdinalIgnoreCase))];
        words = [.. words.Except(seedWords)];
        var seeds = seedWords.Length == 0 ? null : ParseSeeds(seedWords[^1][(SeedsName.Length + 1)..], $"{option} {SeedsName}");
        var slash = words[0].IndexOf('/', StringComparison.Ordinal);
        var source = slash < 0 ? words[0] : words[0][..slash];
        var isBaseline = Baselines.Names.Contains(source);
        if (!isBaseline && !M5Config.Presets.Any(p => p.Name == source))
        {
            throw new CliException(
                $"{option} is '{text}'; '{source}' is neither a preset ({string.Join(", ", M5Config.Presets.Select(p => p.Name))}) nor a baseline ({string.Join(", ", Baselines.Names)})");
        }

        var variant = slash < 0 ? M5Variants.Default : words[0][(slash + 1)..];
        if (isBaseline ? slash >= 0 : !M5Variants.Names.Contains(variant))
        {
            throw new CliException(isBaseline
                ? $"{option} is '{text}'; {source} has no variants"
                : $"{option} is '{text}'; '{variant}' is no variant, there are {string.Join(", ", M5Variants.Names)}");
        }

        if (words.Skip(1).FirstOrDefault(w => w.StartsWith("Seed=", StringComparison.OrdinalIgnoreCase)) is { } seed)
        {
            throw new CliException($"{option} is '{text}'; '{seed}' must be {SeedsName}={seed[5..]}, or be said with --seeds");
        }

        var entry = string.Join(' ', words);
        string[] graphWords = [.. words.Where(w => w.StartsWith(GraphName + "=", StringComparison.OrdinalIgnoreCase))];
        var usesGraph = graphWords.Length > 0 && ParseGraph(graphWords[^1], isBaseline, option);
        string[] options = [.. words.Skip(1).Except(graphWords)];
        var model = new ComparedModel(label ?? entry, entry, source, isBaseline ? null : variant, options, seeds, usesGraph);
        _ = model.Options(1, 1, "cpu", option);
        return model;
    }

    /// <summary>Seeds from a list with commas.</summary>
    /// <exception cref="CliException">There is none, or one is no number.</exception>
    public static IReadOnlyList<int> ParseSeeds(string list, string option)
    {
        string[] words = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        int[] seeds = [.. words.Select(word => int.TryParse(word, out var seed) && seed >= 0
            ? seed
            : throw new CliException($"{option} is '{list}'; '{word}' must be a whole number of 0 or more"))];
        return seeds.Length == 0
            ? throw new CliException($"{option} is empty; it must be seeds with commas between, such as 1,2,3")
            : [.. seeds.Distinct()];
    }

    /// <summary>Entries of a file: one a line, empty lines and what follows a # left out.</summary>
    /// <exception cref="CliException">An entry is wrong, or there is none; the message names the line.</exception>
    public static IReadOnlyList<ComparedModel> ReadFile(string path)
    {
        var models = new List<ComparedModel>();
        foreach (var (index, line) in File.ReadLines(path).Index())
        {
            var text = line.Split('#')[0].Trim();
            if (text.Length > 0)
            {
                models.Add(Parse(text, $"{path}({index + 1})"));
            }
        }

        return models.Count == 0 ? throw new CliException($"--models is '{path}', which has no entry") : models;
    }

    /// <summary>All options that decide what is fitted, as JSON text: equal texts fit the same.</summary>
    public string Canonical(int seed, int threads, string device)
    {
        var options = Options(seed, threads, device, Label);
        return $"{Source} {JsonSerializer.Serialize(options, options.GetType(), Json)}";
    }

    /// <summary>Shape and training of an M5 entry.</summary>
    public ModelOptions M5(int seed, int threads, string device) => (ModelOptions)Options(seed, threads, device, Label);

    /// <summary>Settings of a baseline entry.</summary>
    public object Baseline(int seed, int threads, string device) => Options(seed, threads, device, Label);

    private static bool ParseGraph(string word, bool isBaseline, string option) =>
        isBaseline ? throw new CliException($"{option}: '{word}' is for presets of M5; baselines know no graph")
        : bool.TryParse(word[(GraphName.Length + 1)..], out var uses) ? uses
        : throw new CliException($"{option}: '{word}' must be {GraphName}=true or {GraphName}=false; which graph is said with --graph");

    private object Options(int seed, int threads, string device, string option)
    {
        if (Variant is null)
        {
            return Baselines.Settings(Source, option, assignments) is SasrecOptions sasrec
                ? sasrec with { Seed = seed, Threads = threads, Device = device }
                : Baselines.Settings(Source, option, assignments);
        }

        var variant = M5Variants.ByName(Variant);
        var (config, training) = ModelOverrides.Apply(
            variant.Of(M5Config.ByName(Source)), variant.Of(TrainingOptions.ByName(Source)), assignments, option);
        return new ModelOptions(config, training with { Seed = seed, Threads = threads, Device = device });
    }
}

/// <summary>What decides an M5 model on given data.</summary>
/// <param name="Config">Its shape.</param>
/// <param name="Training">How it is trained.</param>
internal sealed record ModelOptions(M5Config Config, TrainingOptions Training);
