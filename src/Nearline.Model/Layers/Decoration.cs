using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The subsidiary features of tokens, E(s_1) to E(s_n), without their [T, n_sub, d] numbers: there are far fewer rows
/// in the table than behaviours in a batch, so what layers do with E(s) they do once a row.
/// </summary>
/// <param name="Table">E^SH of all subsidiary features, one after another: [R, d]; row 0 is padding.</param>
/// <param name="Sizes">Rows of each feature; with the padding R.</param>
/// <param name="Rows">The rows of each token, one of each feature: [T, n_sub].</param>
/// <param name="Hots">
/// The same rows as ones among zeros, padding left out: [T, R - 1]. Products with it have quick gradients; null where
/// weights are fixed and rows are summed instead.
/// </param>
/// <param name="Bag">The table with zeros for padding, to sum rows of; null where there are <paramref name="Hots"/>.</param>
internal sealed record Decoration(Tensor Table, IReadOnlyList<int> Sizes, Tensor Rows, Tensor? Hots, EmbeddingBag? Bag = null)
{
    /// <summary>A table to sum rows of, none for padding: [R - 1, h], the rows past the padding.</summary>
    public static EmbeddingBag BagOf(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var table = cat([zeros(1, rows.shape[1], dtype: rows.dtype, device: rows.device), rows.detach()], 0);
        return nn.EmbeddingBag_from_pretrained(table.DetachFromDisposeScope(), freeze: true, mode: EmbeddingBagMode.Sum);
    }

    /// <summary>The features of tokens.</summary>
    /// <param name="bag"><see cref="BagOf"/> the table; null: weights may change.</param>
    public static Decoration Of(Tensor table, IReadOnlyList<int> sizes, Tensor rows, EmbeddingBag? bag = null)
    {
        if (bag is not null)
        {
            return new Decoration(table, sizes, rows, null, bag);
        }

        using var scope = NewDisposeScope();
        var all = zeros(rows.shape[0], table.shape[0], dtype: table.dtype, device: table.device).scatter_(1, rows, ones_like(rows, dtype: table.dtype));
        return new Decoration(table, sizes, rows, all.narrow(1, 1, table.shape[0] - 1).MoveToOuterDisposeScope());
    }

    /// <summary>E(s_1) + ... + E(s_n) of each token: [T, d].</summary>
    public Tensor Sums() => Bag is not null ? Bag.call(Rows) : Hots!.matmul(Table.narrow(0, 1, Table.shape[0] - 1));

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
        return Hots!.matmul(Project(Table, Sizes, weight)).MoveToOuterDisposeScope();
    }

    /// <summary>Every row of the table, padding left out, through its feature's part of a linear layer's weights: [R - 1, h].</summary>
    public static Tensor Project(Tensor table, IReadOnlyList<int> sizes, Tensor weight)
    {
        var features = table.split([1, .. sizes], 0);
        var weights = weight.split(table.shape[1], 1);
        return cat([.. weights.Select((w, k) => features[k + 1].matmul(w.t()))], 0);
    }
}
