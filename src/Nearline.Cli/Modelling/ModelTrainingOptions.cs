using Nearline.Model.Graph;
using Nearline.Model.Training.Runs;

namespace Nearline.Cli.Modelling;

/// <summary>What to train and where to put it.</summary>
internal sealed record ModelTrainingOptions
{
    /// <summary>The directory of bundles.</summary>
    public required string Models { get; init; }

    /// <summary>The preset, a name of <see cref="Nearline.Model.M5Config.Presets"/>.</summary>
    public string Config { get; init; } = "m5-small";

    /// <summary>The variant of the preset, a name of <see cref="Nearline.Model.M5Variants"/>.</summary>
    public string Variant { get; init; } = Nearline.Model.M5Variants.Default;

    /// <summary>auto, cpu or cuda; null: the preset's.</summary>
    public string? Device { get; init; }

    /// <summary>Passes over the data; null: the preset's.</summary>
    public int? Epochs { get; init; }

    /// <summary>The seed; null: the preset's.</summary>
    public int? Seed { get; init; }

    /// <summary>Assignments for <see cref="ModelOverrides"/>; they come last.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>The run folder to begin, with what run.json shall say of the data; null: none.</summary>
    public (string Path, RunSetting Setting)? Run { get; init; }

    /// <summary>
    /// The run to go on with, instead: its configuration and training come in place of the presets, and what else is
    /// set here must agree with it.
    /// </summary>
    public RunFolder? Resume { get; init; }

    /// <summary>The bundle in <see cref="Models"/> whose weights to begin with; null: none.</summary>
    public string? WarmStart { get; init; }

    /// <summary>The content graph that the CG embeddings begin with; null: the catalog's own decomposition.</summary>
    public ContentGraph? Graph { get; init; }

    /// <summary>Whether the bundle gets an HNSW graph; null: when its catalog is large.</summary>
    public bool? WithGraph { get; init; }

    /// <summary>Whether the new bundle becomes the active one.</summary>
    public bool Activate { get; init; } = true;
}
