using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>The model level of the multi-scenario mixing layer (paper, section 4.4.1).</summary>
internal abstract class ScenarioMixer(string name) : nn.Module(name)
{
    /// <summary>
    /// The user embeddings, [P, outputs], and the outputs of the experts that made them, [P, experts, ExpertWidth];
    /// null where there are no experts.
    /// </summary>
    /// <param name="features">f_s: [P, inputs].</param>
    /// <param name="pairs">The scenario of each pair.</param>
    public abstract (Tensor Users, Tensor? Experts) Forward(Tensor features, ScenarioPairs pairs);

    /// <summary>The mixer that a configuration asks for.</summary>
    public static ScenarioMixer Of(int inputs, int outputs, int scenarios, M5Config config) => config.Mixing switch
    {
        ScenarioMixing.SplitExperts => new SplitMixtureOfExperts(inputs, outputs, scenarios, config),
        ScenarioMixing.Mlp => new PlainMixing(inputs, outputs, config),
        ScenarioMixing.CustomizedGates => new CustomizedGateControl(inputs, outputs, scenarios, config),
        _ => throw new ArgumentOutOfRangeException(nameof(config), config.Mixing, "Mixing: not a mixing layer"),
    };

    /// <summary>The sum of experts, [P, n, w], with the softmax of a gate's logits, [P, n]: [P, w].</summary>
    protected static Tensor Weigh(Tensor logits, Tensor experts) =>
        logits.softmax(-1).unsqueeze(1).bmm(experts).squeeze(1);
}
