using Nearline.Model.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>The weighted sum of behaviours into one vector a sequence (paper, section 4.3.3).</summary>
internal static class InterestPooling
{
    /// <summary>Pools every sequence.</summary>
    /// <param name="tokens">Representations: [T, d].</param>
    /// <param name="intensities">Their intensities: [T].</param>
    /// <param name="batch">The layout of the tokens.</param>
    /// <param name="normalize">Whether to divide by the sum of the intensities: a mean instead of the paper's sum.</param>
    /// <returns>[U, slots, d]; zero for an empty sequence.</returns>
    public static Tensor Pool(Tensor tokens, Tensor intensities, BatchTensors batch, bool normalize)
    {
        var groups = batch.Layout.Groups;
        var width = tokens.shape[1];
        long[] sizes = [.. groups.Select(g => (long)g.Count * g.Length)];
        var tokenParts = tokens.split(sizes, 0);
        var intensityParts = intensities.split(sizes, 0);
        var pooled = new Tensor[groups.Count + 1];
        for (var g = 0; g < groups.Count; g++)
        {
            var weights = intensityParts[g].view(groups[g].Count, groups[g].Length);
            if (batch.KeyMasks[g] is { } mask)
            {
                weights = weights * mask;
            }

            if (normalize)
            {
                weights = weights / weights.sum(1, keepdim: true);
            }

            pooled[g] = weights.unsqueeze(1).bmm(tokenParts[g].view(groups[g].Count, groups[g].Length, width)).squeeze(1);
        }

        pooled[^1] = zeros(1, width, dtype: tokens.dtype, device: tokens.device);
        return cat(pooled, 0).index_select(0, batch.SlotRows).view(batch.Users, SequenceSlots.Count, width);
    }
}
