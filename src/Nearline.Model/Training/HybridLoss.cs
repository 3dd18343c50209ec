using Nearline.Model.Features;
using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>The hybrid loss of equation 9 and its parts, each a scalar tensor.</summary>
/// <param name="Total">L = L_Match + alpha L_MLM + beta L_DIS, and where there is a weight for it the CG channel's own L_Match.</param>
/// <param name="Match">Equation 7.</param>
/// <param name="Mlm">Equation 2; zero without masked shows or without self-attention on the ID channel.</param>
/// <param name="Disagreement">Equation 5, the mean of the channels; zero without experts.</param>
internal sealed record HybridLoss(Tensor Total, Tensor Match, Tensor Mlm, Tensor Disagreement)
{
    /// <summary>Runs the model and measures it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">The instances, one pair each.</param>
    /// <param name="encoded">The same, for the watched shows.</param>
    /// <param name="targets">Index rows of each instance's targets.</param>
    /// <param name="options">Weights of the parts.</param>
    /// <param name="random">Draws what MLM masks.</param>
    /// <param name="negatives">Shows that stand for the catalog in the softmaxes; null: the catalog itself.</param>
    public static HybridLoss Of(
        M5Model model,
        BatchTensors batch,
        EncodedBatch encoded,
        IReadOnlyList<int[]> targets,
        TrainingOptions options,
        Random random,
        NegativeSample? negatives = null)
    {
        var device = batch.Shows.device;
        var masked = model.HasMaskedTask && options.Alpha > 0 && options.MaskRate > 0
            ? MaskedShows.Of(batch, options.MaskRate, random, device)
            : null;
        var output = model.Forward(batch, options.SeparateMaskedPass ? null : masked?.Shows);
        var match = Matching(output.Query(), model.Items(), encoded, targets, options, negatives);
        var mlm = zeros(1, device: device).squeeze(0);
        if (masked is not null)
        {
            var hidden = options.SeparateMaskedPass
                ? model.EncodeMasked(masked.Shows, batch, masked.Positions)
                : output.Hidden.index_select(0, masked.Positions);
            mlm = Masked(model, hidden, masked.Targets, negatives);
        }

        Tensor[] disagreements =
            [.. new[] { output.IdExperts, output.CgExperts }.OfType<Tensor>().Select(SplitMixtureOfExperts.Disagreement)];
        var disagreement = disagreements.Length == 0
            ? zeros(1, device: device).squeeze(0)
            : disagreements.Aggregate((a, b) => a + b) * (1.0 / disagreements.Length);
        var total = match + (mlm * options.Alpha) + (disagreement * options.Beta);
        if (options.CgLoss > 0)
        {
            total += Matching(output.UserCg!, model.ContentRows(), encoded, targets, options, negatives) * options.CgLoss;
        }

        return new HybridLoss(total, match, mlm, disagreement);
    }

    /// <summary>Equations 7 and 8 over the whole catalog, averaged over the instances.</summary>
    private static Tensor Matching(
        Tensor query, Tensor items, EncodedBatch encoded, IReadOnlyList<int[]> targets, TrainingOptions options, NegativeSample? negatives)
    {
        var catalog = items.shape[0];
        return SoftmaxLoss.Of(
            query,
            items,
            new SoftmaxWeighting(options.WatchedWeight == 1 ? [] : WatchedPlaces(encoded, catalog), options.WatchedWeight),
            TargetPlaces(targets, catalog, options.FutureDecay),
            negatives) / targets.Count;
    }

    /// <summary>Equation 2, averaged over the masked shows.</summary>
    private static Tensor Masked(M5Model model, Tensor hidden, Tensor shows, NegativeSample? negatives)
    {
        if (negatives is null)
        {
            return nn.functional.cross_entropy(model.MaskedLogits(hidden), shows);
        }

        var (items, rows) = (model.MaskedItems(), shows.cpu().data<long>().ToArray());
        long[] places = [.. rows.Select((show, i) => (i * items.shape[0]) + show)];
        return SoftmaxLoss.Of(hidden, items, SoftmaxWeighting.None, new SoftmaxTargets(places, [.. rows.Select(_ => 1f)]), negatives) / rows.Length;
    }

    private static long[] WatchedPlaces(EncodedBatch encoded, long catalog)
    {
        var places = new long[encoded.Watched.Count];
        for (var user = 0; user < encoded.Count; user++)
        {
            for (var i = encoded.WatchedStarts[user]; i < encoded.WatchedStarts[user + 1]; i++)
            {
                places[i] = (user * catalog) + encoded.Watched[i];
            }
        }

        return places;
    }

    /// <summary>Where the targets are among the flattened scores, with weights that sum to 1 for each instance.</summary>
    private static SoftmaxTargets TargetPlaces(IReadOnlyList<int[]> targets, long catalog, double decay)
    {
        var places = new List<long>();
        var weights = new List<float>();
        for (var user = 0; user < targets.Count; user++)
        {
            var sum = Enumerable.Range(0, targets[user].Length).Sum(k => Math.Pow(decay, k));
            for (var k = 0; k < targets[user].Length; k++)
            {
                places.Add((user * catalog) + targets[user][k]);
                weights.Add((float)(Math.Pow(decay, k) / sum));
            }
        }

        return new SoftmaxTargets([.. places], [.. weights]);
    }
}
