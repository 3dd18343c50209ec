using Nearline.Model.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>The weighted sum of behaviours into one vector a sequence (paper, section 4.3.3).</summary>
internal static class InterestPooling
{
    /// <summary>Pools every sequence as each of its views sees it.</summary>
    /// <param name="tokens">Representations: [T, d].</param>
    /// <param name="logits">The logarithms of their intensities, [T]; null: intensities of 1.</param>
    /// <param name="recency">What a view adds to them by how long ago a behaviour is; null: nothing.</param>
    /// <param name="batch">The layout of the tokens.</param>
    /// <param name="normalize">Whether to divide by the sum of the intensities: a mean instead of the paper's sum.</param>
    /// <returns>[U, slots, d] for the views; zero for an empty sequence.</returns>
    public static Tensor Pool(Tensor tokens, Tensor? logits, RecencyIntensity? recency, BatchTensors batch, bool normalize)
    {
        var groups = batch.Layout.Groups;
        var width = tokens.shape[1];
        long[] sizes = [.. groups.Select(g => (long)g.Count * g.Length)];
        var tokenParts = tokens.split(sizes, 0);
        var logitParts = logits?.split(sizes, 0);
        var pooled = new Tensor[groups.Count + 1];
        for (var g = 0; g < groups.Count; g++)
        {
            var (count, length) = (groups[g].Count, groups[g].Length);
            var exponents = logitParts?[g].view(count, 1, length) ?? zeros(count, 1, length, dtype: tokens.dtype, device: tokens.device);
            if (recency is not null)
            {
                exponents = exponents + recency.Forward(batch.Visibility![g]);
            }

            var weights = exponents.exp();
            if ((batch.Visibility?[g].Seen ?? batch.KeyMasks[g]?.unsqueeze(1)) is { } seen)
            {
                weights = weights * seen;
            }

            if (normalize)
            {
                // A view that sees nothing of the sequence is not asked for, but must not spoil the gradient.
                weights = weights / weights.sum(2, keepdim: true).clamp(min: 1e-12);
            }

            pooled[g] = weights.bmm(tokenParts[g].view(count, length, width)).view(-1, width);
        }

        pooled[^1] = zeros(1, width, dtype: tokens.dtype, device: tokens.device);
        return cat(pooled, 0).index_select(0, batch.SlotRows).view(batch.Views, SequenceSlots.Count, width);
    }
}
