using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The subsidiary features of tokens, E(s_1) to E(s_n), without their [T, n_sub, d] numbers: there are far fewer rows
/// in the table than behaviours in a batch, so what layers do with E(s) they do once a row.
/// </summary>
/// <param name="Table">E^SH of all subsidiary features, one after another: [R, d]; row 0 is padding.</param>
/// <param name="Sizes">Rows of each feature; with the padding R.</param>
/// <param name="Rows">The rows of each token, one of each feature: [T, n_sub].</param>
/// <param name="Hots">The same rows as ones among zeros, padding left out: [T, R - 1].</param>
internal sealed record Decoration(Tensor Table, IReadOnlyList<int> Sizes, Tensor Rows, Tensor Hots)
{
    /// <summary>The features of tokens.</summary>
    public static Decoration Of(Tensor table, IReadOnlyList<int> sizes, Tensor rows)
    {
        using var scope = NewDisposeScope();
        var all = zeros(rows.shape[0], table.shape[0], dtype: table.dtype, device: table.device).scatter_(1, rows, ones_like(rows, dtype: table.dtype));
        return new Decoration(table, sizes, rows, all.narrow(1, 1, table.shape[0] - 1).MoveToOuterDisposeScope());
    }

    /// <summary>E(s_1) + ... + E(s_n) of each token: [T, d].</summary>
    public Tensor Sums() => Hots.matmul(Table.narrow(0, 1, Table.shape[0] - 1));

    /// <summary>The inner products of each token's main embedding with its subsidiary ones: [T, d] to [T, n_sub].</summary>
    public Tensor Products(Tensor main)
    {
        using var scope = NewDisposeScope();
        return main.matmul(Table.t()).gather(1, Rows).MoveToOuterDisposeScope();
    }

    /// <summary>[E(s_1), ..., E(s_n)] of each token through a linear layer's weights, [h, n_sub d]: [T, h].</summary>
    public Tensor Linear(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var features = Table.split([1, .. Sizes], 0);
        var weights = weight.split(Table.shape[1], 1);
        var projected = cat([.. weights.Select((w, k) => features[k + 1].matmul(w.t()))], 0);   // [R - 1, h]
        return Hots.matmul(projected).MoveToOuterDisposeScope();
    }
}
