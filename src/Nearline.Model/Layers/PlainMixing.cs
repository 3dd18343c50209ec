using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>What SMoE becomes without multiple scenarios (paper, section 5.1.2, M5 w/o MS): one two-layer MLP.</summary>
internal sealed class PlainMixing : ScenarioMixer
{
    private readonly SwishMlp mlp;

    public PlainMixing(int inputs, int outputs, M5Config config)
        : base(nameof(PlainMixing))
    {
        mlp = new SwishMlp(inputs, config.Hidden, outputs, config.InputDropout);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override (Tensor Users, Tensor? Experts) Forward(Tensor features, ScenarioPairs pairs) =>
        (mlp.forward(features), null);
}
