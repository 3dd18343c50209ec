using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// Rows past the show tables, for live shows in users' histories. Beside the tables, not in them: batches at work see no
/// row change, and nothing of the tables' size is copied.
/// </summary>
/// <param name="Ids">What stands for E^ID, [k, d].</param>
/// <param name="Cgs">E^CG, [k, d].</param>
internal sealed record LiveRows(Tensor Ids, Tensor Cgs) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Ids.Dispose();
        Cgs.Dispose();
    }
}
