using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The dynamic weighting network of the weighted candidate matching layer (paper, section 4.5): w = sigmoid(MLP(user
/// features, context features, scenario indicator)), the share of the ID channel in equation 6.
/// </summary>
internal sealed class DynamicWeighting : nn.Module
{
    private readonly SwishMlp mlp;

    public DynamicWeighting(int inputs, M5Config config)
        : base(nameof(DynamicWeighting))
    {
        mlp = new SwishMlp(inputs, config.Hidden, 1, config.InputDropout);
        RegisterComponents();
    }

    /// <summary>w of each pair: [P, 1].</summary>
    public Tensor Forward(Tensor inputs) => mlp.forward(inputs).sigmoid();
}
