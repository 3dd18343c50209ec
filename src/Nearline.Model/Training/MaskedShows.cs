using Nearline.Model.Features;
using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>
/// MLM's masking (paper, section 4.3.2): [MASK] always replaces, random shows never do, and subsidiary features stay.
/// </summary>
/// <param name="Shows">The batch's show rows with [MASK] in places: [T].</param>
/// <param name="Positions">The masked tokens: [M].</param>
/// <param name="Targets">The index rows of the shows that were there: [M].</param>
internal sealed record MaskedShows(Tensor Shows, Tensor Positions, Tensor Targets)
{
    /// <summary>Masks each show with the given probability; null when none was drawn.</summary>
    public static MaskedShows? Of(BatchTensors batch, double rate, Random random, Device device)
    {
        var rows = (long[])batch.ShowRows.Clone();
        var (positions, targets) = (new List<long>(), new List<long>());
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i] >= FeatureSchema.FirstShowRow && random.NextDouble() < rate)
            {
                positions.Add(i);
                targets.Add(rows[i] - FeatureSchema.FirstShowRow);
                rows[i] = FeatureSchema.MaskRow;
            }
        }

        return positions.Count == 0
            ? null
            : new MaskedShows(
                BatchTensors.Index(rows, device),
                BatchTensors.Index([.. positions], device),
                BatchTensors.Index([.. targets], device));
    }
}
