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
    internal const float Excluded = -1e9f;

    private static readonly SoftmaxWeighting LeftOut = new([], 0);

    /// <summary>The sum of weight times -log p over the targets: a scalar tensor with a gradient to queries and items.</summary>
    /// <param name="query">The queries: [N, w].</param>
    /// <param name="items">The catalog's rows: [I, w].</param>
    /// <param name="weighting">Places that count otherwise than once, such as watched shows.</param>
    /// <param name="targets">What is predicted; a row may have several targets, or none.</param>
    /// <param name="negatives">
    /// Shows that stand for the catalog in the softmax's sum, the same for all rows; null: the catalog itself.
    /// </param>
    public static Tensor Of(Tensor query, Tensor items, SoftmaxWeighting weighting, SoftmaxTargets targets, NegativeSample? negatives = null)
    {
        if (negatives is not null)
        {
            return Sampled(query, items, weighting, targets, negatives);
        }

        var device = query.device;
        var scores = weighting.Applied(query.matmul(items.t()), weighting.Places);

        var picked = scores.log_softmax(1).view(-1).index_select(0, BatchTensors.Index(targets.Places, device));
        return -(picked * tensor(targets.Weights, device: device)).sum();
    }

    /// <summary>
    /// Each row's sum is over its targets and the negatives, with log-Q correction: a negative's score less the logarithm
    /// of its expected count, so that the sum's mean is the full sum. Targets are always in it, uncorrected, and so no
    /// negatives of their row.
    /// </summary>
    private static Tensor Sampled(Tensor query, Tensor items, SoftmaxWeighting weighting, SoftmaxTargets targets, NegativeSample negatives)
    {
        var (device, catalog, rows) = (query.device, items.shape[0], query.shape[0]);
        var columns = negatives.Items.Select((item, column) => (item, column)).ToLookup(n => (long)n.item, n => n.column);
        long drawn = negatives.Items.Length;
        long[] Drawn(long[] places) => [.. places.SelectMany(place => columns[place % catalog].Select(c => ((place / catalog) * drawn) + c))];
        var others = query.matmul(items.index_select(0, BatchTensors.Index([.. negatives.Items.Select(i => (long)i)], device)).t())
            - tensor(negatives.LogExpected, device: device);
        others = LeftOut.Applied(weighting.Applied(others, Drawn(weighting.Places)), Drawn(targets.Places));

        // The targets' own scores, a row of them for each query, filled up to the longest with what counts nothing.
        var slots = new Dictionary<long, int>();
        var used = new int[rows];
        foreach (var place in targets.Places)
        {
            if (slots.TryAdd(place, used[place / catalog]))
            {
                used[place / catalog]++;
            }
        }

        var width = Math.Max(1, used.DefaultIfEmpty().Max());
        long[] places = [.. slots.Keys];
        var gathered = new long[rows * width];
        Array.Fill(gathered, places.Length);
        for (var i = 0; i < places.Length; i++)
        {
            gathered[((places[i] / catalog) * width) + slots[places[i]]] = i;
        }

        var own = (query.index_select(0, BatchTensors.Index([.. places.Select(p => p / catalog)], device))
            * items.index_select(0, BatchTensors.Index([.. places.Select(p => p % catalog)], device))).sum(1);
        var filled = cat([own, full(1, Excluded, device: device)], 0).index_select(0, BatchTensors.Index(gathered, device)).view(rows, width);
        long[] wanted = [.. targets.Places.Select(p => ((p / catalog) * (width + drawn)) + slots[p])];
        var picked = cat([filled, others], 1).log_softmax(1).view(-1).index_select(0, BatchTensors.Index(wanted, device));
        return -(picked * tensor(targets.Weights, device: device)).sum();
    }
}
