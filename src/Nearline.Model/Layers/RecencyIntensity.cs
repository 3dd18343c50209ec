using Nearline.Model.Features;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The share of SIN's exponent (equation 3) that depends on when a behaviour is looked at from: a number for each bucket
/// of the time since it was engaged in and for each position index. Starts at zero, as SIN does.
/// </summary>
/// <remarks>
/// Of a model that looks back only, many views share one run of behaviours, so these two subsidiary features can't be
/// embedded into it; a linear SIN over their embeddings alone would be the same numbers.
/// </remarks>
internal sealed class RecencyIntensity : nn.Module
{
    private readonly Embedding ages;
    private readonly Embedding positions;

    /// <param name="maxLength">Behaviours of a sequence.</param>
    public RecencyIntensity(int maxLength)
        : base(nameof(RecencyIntensity))
    {
        ages = nn.Embedding(Buckets.Elapseds, 1);
        positions = nn.Embedding(maxLength, 1);
        RegisterComponents();
        using var _ = no_grad();
        nn.init.zeros_(ages.weight!);
        nn.init.zeros_(positions.weight!);
    }

    /// <summary>What is added to the exponents: [n, V, L].</summary>
    public Tensor Forward(GroupVisibility group) =>
        (ages.forward(group.Ages) + positions.forward(group.Positions)).squeeze(-1);
}
