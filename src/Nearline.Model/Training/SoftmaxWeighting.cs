using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>Shows that count otherwise than once in a row's softmax.</summary>
/// <param name="Places">Where they are, each once; a target must not be among them.</param>
/// <param name="Weight">How many shows each counts for; 0 leaves it out.</param>
internal sealed record SoftmaxWeighting(long[] Places, double Weight)
{
    /// <summary>All count once.</summary>
    public static SoftmaxWeighting None { get; } = new([], 1);

    /// <summary>Scores with the logarithm of the weight added at places.</summary>
    /// <param name="scores">[N, K].</param>
    /// <param name="places">The place of row n and column k is n * K + k.</param>
    public Tensor Applied(Tensor scores, long[] places)
    {
        if (places.Length == 0)
        {
            return scores;
        }

        var index = BatchTensors.Index(places, scores.device);
        var flat = scores.view(-1);
        var changed = Weight == 0
            ? flat.index_fill(0, index, SoftmaxLoss.Excluded)
            : flat.index_add(0, index, full(places.Length, Math.Log(Weight), dtype: scores.dtype, device: scores.device), 1);
        return changed.view(scores.shape);
    }
}
