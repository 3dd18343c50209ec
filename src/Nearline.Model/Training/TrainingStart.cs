using Nearline.Model.Graph;
using Nearline.Model.Training.Runs;

namespace Nearline.Model.Training;

/// <summary>What a training begins with and leaves behind, beside its options; by default nothing.</summary>
public sealed record TrainingStart
{
    /// <summary>
    /// Where scalars, curves and a checkpoint are written after every epoch. Where it has a checkpoint, training goes on
    /// from there. The caller disposes it.
    /// </summary>
    public RunFolder? Folder { get; init; }

    /// <summary>Weights to begin with; null: random ones. A run that goes on from a checkpoint does not need them.</summary>
    public WarmStart? From { get; init; }

    /// <summary>
    /// The content graph that the CG embeddings start from, of the model's width; null: <see cref="ContentEncoder"/> of
    /// the catalog. It goes into the model's bundle, to place shows that come later. The caller disposes it, after the model.
    /// </summary>
    public ContentGraph? Graph { get; init; }

    /// <summary>Told what <see cref="From"/> carried over, before the first epoch.</summary>
    public Action<WarmStartReport>? Started { get; init; }
}
