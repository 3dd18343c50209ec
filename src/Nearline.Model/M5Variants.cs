namespace Nearline.Model;

/// <summary>The M5 groups of the paper's table 2 (sections 5.1.2 and 5.3) by name.</summary>
public static class M5Variants
{
    /// <summary>The name of M5 itself.</summary>
    public const string Default = "m5";

    /// <summary>All of them, M5 first, then in the order of the table.</summary>
    public static IReadOnlyList<M5Variant> All { get; } =
    [
        new(Default, "M5"),
        new("wo-mm", "M5 w/o MM", c => c with { Channels = ModelChannels.Id, ContentInId = false }),
        new("wo-mi", "M5 w/o MI", c => c with
        {
            IdInterests = InterestExtraction.Sum,
            CgInterests = InterestExtraction.Sum,
            Categorize = false,
            Decorate = false,
        }),
        new("wo-ms", "M5 w/o MS", c => c with { ScenarioIndicator = false, Mixing = ScenarioMixing.Mlp }),
        new("raw-metadata", "M5 w/ Raw Metadata", c => c with { CgSource = CgSource.RawMetadata }),
        new("single-channel", "M5 w/ Single Channel", c => c with { Channels = ModelChannels.Single }),
        new("wo-cate-sub", "M5 w/o Cate & Sub", c => c with { Categorize = false, Decorate = false }),
        new("sin", "M5 w/ SIN", c => c with { IdInterests = InterestExtraction.Sin, CgInterests = InterestExtraction.Sin }),
        new("sa", "M5 w/ SA", c => c with
        {
            IdInterests = InterestExtraction.SelfAttention,
            CgInterests = InterestExtraction.SelfAttention,
        }),
        new("sa-sin", "M5 w/ SA-SIN", c => c with
        {
            IdInterests = InterestExtraction.SelfAttentionSin,
            CgInterests = InterestExtraction.SelfAttentionSin,
        }),
        new("wo-idx", "M5 w/o idx", c => c with { ScenarioIndicator = false }),
        new("wo-dis", "M5 w/o dis", training: t => t with { Beta = 0 }),
        new("cgc", "M5 w/ CGC", c => c with { Mixing = ScenarioMixing.CustomizedGates }),
        new("ple", "M5 w/ PLE", c => c with { Mixing = ScenarioMixing.CustomizedGates, MixingLevels = 2 }),
    ];

    /// <summary>The names, in that order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(v => v.Name)];

    /// <summary>The variant of a name.</summary>
    /// <exception cref="ArgumentException">No variant has the name.</exception>
    public static M5Variant ByName(string name) =>
        All.FirstOrDefault(v => v.Name == name)
        ?? throw new ArgumentException($"variant: '{name}' is none; there are {string.Join(", ", Names)}", nameof(name));
}
