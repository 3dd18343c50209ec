using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// Split Mixture-of-Experts, SMoE (paper, section 4.4.1). Equation 4:
/// <c>u_s = Post_s(sum_k Expert_k(f_s) Gate_k(f_s))</c>: shared experts, one softmax gate since f_s already tells the
/// scenario, and a post-processing tower a scenario. All are two-layer Swish MLPs.
/// </summary>
internal sealed class SplitMixtureOfExperts : ScenarioMixer
{
    private readonly ModuleList<SwishMlp> experts;
    private readonly SwishMlp gate;
    private readonly ModuleList<SwishMlp> post;

    public SplitMixtureOfExperts(int inputs, int outputs, int scenarios, M5Config config)
        : base(nameof(SplitMixtureOfExperts))
    {
        experts = new ModuleList<SwishMlp>(
            [.. Enumerable.Range(0, config.Experts).Select(_ => new SwishMlp(inputs, config.Hidden, config.ExpertWidth, config.InputDropout))]);
        gate = new SwishMlp(inputs, config.Hidden, config.Experts, config.InputDropout);
        post = new ModuleList<SwishMlp>(
            [.. Enumerable.Range(0, scenarios).Select(_ => new SwishMlp(config.ExpertWidth, config.Hidden, outputs, config.InputDropout))]);
        RegisterComponents();
    }

    public IReadOnlyList<SwishMlp> Experts => [.. experts];

    public SwishMlp Gate => gate;

    /// <summary>One a scenario.</summary>
    public IReadOnlyList<SwishMlp> Post => [.. post];

    /// <inheritdoc/>
    public override (Tensor Users, Tensor? Experts) Forward(Tensor features, ScenarioPairs pairs)
    {
        var outputs = stack(experts.Select(e => e.forward(features)), 1);
        return (Split([.. post], Weigh(gate.forward(features), outputs), pairs), outputs);
    }

    /// <summary>
    /// Disagreement regularisation, equation 5: the mean absolute cosine between the experts' outputs. The diagonal
    /// adds a constant 1 / n_exp, as in the paper, and no gradient.
    /// </summary>
    public static Tensor Disagreement(Tensor experts)
    {
        var directions = nn.functional.normalize(experts, dim: 2, eps: 1e-8);
        return directions.bmm(directions.transpose(1, 2)).abs().mean();
    }

    /// <summary>Sends every pair through its scenario's tower and gathers the results back: [P, w] to [P, outputs].</summary>
    public static Tensor Split(IReadOnlyList<SwishMlp> post, Tensor mixed, ScenarioPairs pairs)
    {
        var sorted = pairs.Order is { } order ? mixed.index_select(0, order) : mixed;
        var parts = sorted.split(pairs.Sizes, 0);
        var results = new List<Tensor>();
        for (var s = 0; s < parts.Length; s++)
        {
            if (pairs.Sizes[s] > 0)
            {
                results.Add(post[s].forward(parts[s]));
            }
        }

        return pairs.Gather(results);
    }
}
