using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>
/// Places in a matrix of scores, [N, I]: the place of row n and show i is n * I + i.
/// </summary>
/// <param name="Places">Where the targets are.</param>
/// <param name="Weights">What each weighs in the loss.</param>
internal sealed record SoftmaxTargets(long[] Places, float[] Weights);

/// <summary>The softmax over the catalog of equation 8, for any way of drawing instances.</summary>
internal static class SoftmaxLoss
{
    private const float Excluded = -1e9f;

    /// <summary>The sum of weight times -log p over the targets: a scalar tensor with a gradient to queries and items.</summary>
    /// <param name="query">The queries: [N, w].</param>
    /// <param name="items">The catalog's rows: [I, w].</param>
    /// <param name="excluded">Places left out of the softmax, such as watched shows; a target must not be among them.</param>
    /// <param name="targets">What is predicted; a row may have several targets, or none.</param>
    public static Tensor Of(Tensor query, Tensor items, long[] excluded, SoftmaxTargets targets)
    {
        var device = query.device;
        var scores = query.matmul(items.t());
        if (excluded.Length > 0)
        {
            scores = scores.view(-1).index_fill(0, BatchTensors.Index(excluded, device), Excluded).view(scores.shape);
        }

        var picked = scores.log_softmax(1).view(-1).index_select(0, BatchTensors.Index(targets.Places, device));
        return -(picked * tensor(targets.Weights, device: device)).sum();
    }
}
