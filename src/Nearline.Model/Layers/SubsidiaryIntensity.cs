using Nearline.Model.Features;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// Subsidiary-intensity calibration, SIN (paper, section 4.3.3). Equation 3:
/// <c>int_j = exp(MLP([E(m_j), E(s_j1), ..., E(s_jn), E(m_j).E(s_j1), ..., E(m_j).E(s_jn)]))</c>, ReLU between layers.
/// The last layer starts at zero, so every intensity starts at exp(0) = 1: plain sum pooling.
/// </summary>
internal sealed class SubsidiaryIntensity : nn.Module
{
    private readonly ModuleList<Linear> layers;
    private Serving? serving;

    /// <param name="width">Width of main and subsidiary embeddings.</param>
    /// <param name="hidden">Hidden widths; none: a linear layer, the paper's choice for the ID channel.</param>
    /// <param name="subsidiaries">Subsidiary features of a behaviour, n_sub; 0: the intensity is of the main alone.</param>
    public SubsidiaryIntensity(int width, IReadOnlyList<int> hidden, int subsidiaries = Features.Subsidiaries.Count)
        : base(nameof(SubsidiaryIntensity))
    {
        int[] widths = [(width * (1 + subsidiaries)) + subsidiaries, .. hidden, 1];
        layers = new ModuleList<Linear>([.. widths.Zip(widths.Skip(1), (from, to) => nn.Linear(from, to))]);
        RegisterComponents();
        using var _ = no_grad();
        nn.init.zeros_(layers[layers.Count - 1].weight!);
        nn.init.zeros_(layers[layers.Count - 1].bias!);
    }

    /// <summary>Computes once what depends on fixed weights alone.</summary>
    /// <param name="table">E^SH of the subsidiary features; null where n_sub is 0.</param>
    /// <param name="sizes">Rows of each.</param>
    /// <param name="precision">Of the large products.</param>
    public void Freeze(Tensor? table, IReadOnlyList<int> sizes, ScalarType precision)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        if (table is not null)
        {
            var (width, count) = (table.shape[1], sizes.Count);
            var parts = layers[0].weight!.split([width, width * count, count], 1);
            serving = new Serving(
                parts[0].to(precision).contiguous().DetachFromDisposeScope(),
                Decoration.BagOf(Decoration.Project(table, sizes, parts[1])),
                parts[2].t().contiguous().DetachFromDisposeScope());
        }

        for (var i = 1; i + 1 < layers.Count; i++)
        {
            layers[i].to(precision);
        }
    }

    /// <summary>The exponents: the logarithm of each token's intensity, [T].</summary>
    /// <param name="main">E(m): [T, d].</param>
    /// <param name="subsidiaries">E(s); null where n_sub is 0.</param>
    public Tensor Forward(Tensor main, Decoration? subsidiaries)
    {
        using var scope = NewDisposeScope();
        var x = First(main, subsidiaries);
        for (var i = 1; i < layers.Count; i++)
        {
            x = MixedPrecision.Forward(layers[i], nn.functional.relu(x));
        }

        return x.squeeze(-1).MoveToOuterDisposeScope();
    }

    /// <summary>The first layer, part by part of its input.</summary>
    private Tensor First(Tensor main, Decoration? subsidiaries)
    {
        var (weight, bias) = (layers[0].weight!, layers[0].bias!);
        if (serving is not null)
        {
            return (MixedPrecision.Linear(main, serving.Main, null) + bias)
                .add_(serving.Subsidiaries.call(subsidiaries!.Rows))
                .addmm_(subsidiaries.Products(main), serving.Products);
        }

        if (subsidiaries is null)
        {
            return nn.functional.linear(main, weight, bias);
        }

        var (width, count) = (main.shape[1], subsidiaries.Sizes.Count);
        var parts = weight.split([width, width * count, count], 1);
        return nn.functional.linear(main, parts[0], bias)
            + subsidiaries.Linear(parts[1])
            + subsidiaries.Products(main).matmul(parts[2].t());
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            serving?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The first layer in parts, for fixed weights.</summary>
    /// <param name="Main">From the main embedding: [h, d].</param>
    /// <param name="Subsidiaries">What each row of the subsidiary table contributes: [R, h].</param>
    /// <param name="Products">From the inner products: [n_sub, h].</param>
    private sealed record Serving(Tensor Main, EmbeddingBag Subsidiaries, Tensor Products) : IDisposable
    {
        public void Dispose()
        {
            Main.Dispose();
            Subsidiaries.Dispose();
            Products.Dispose();
        }
    }
}
