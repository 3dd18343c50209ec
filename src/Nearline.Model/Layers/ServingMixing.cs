using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// <see cref="ScenarioCrossing"/> and <see cref="SplitMixtureOfExperts"/> with fixed weights, arranged for users who are
/// mixed for several scenarios at once. The first layer of experts and gate is linear in f_s = [fields, E(s), E(s) . field]:
/// what it makes of the fields, nearly all of f_s, does not depend on the scenario and is computed once a user.
/// </summary>
/// <remarks>
/// Shapes: U users, P pairs, S scenarios, F widths of the fields together, n fields, E experts, h hidden. The same
/// function as the two layers, its sums in another order.
/// </remarks>
internal sealed class ServingMixing : IDisposable
{
    private readonly Tensor fields;
    private readonly Tensor crossing;
    private readonly Tensor crossingBias;
    private readonly Tensor crossed;
    private readonly Tensor gate;
    private readonly Tensor gateBias;
    private readonly Tensor experts;
    private readonly Tensor expertBias;
    private readonly IReadOnlyList<SwishMlp> post;
    private readonly int scenarios;
    private readonly int expertCount;

    /// <param name="crossingLayer">What makes f_s.</param>
    /// <param name="mixer">What mixes.</param>
    /// <param name="scenarioTable">E^SH of the scenarios, [S, width]; null without an indicator.</param>
    /// <param name="precision">Of the large products.</param>
    public ServingMixing(ScenarioCrossing crossingLayer, SplitMixtureOfExperts mixer, Tensor? scenarioTable, ScalarType precision)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        SwishMlp[] first = [.. mixer.Experts, mixer.Gate];
        (post, scenarios, expertCount) = (mixer.Post, mixer.Post.Count, mixer.Experts.Count);
        long[] widths = [.. crossingLayer.Widths.Select(w => (long)w)];
        var fieldsWidth = widths.Sum();
        var weight = cat([.. first.Select(m => m.First.weight!)], 0);                            // [(E + 1) h, inputs]
        var bias = cat([.. first.Select(m => m.First.bias!)], 0);
        fields = Keep(weight.narrow(1, 0, fieldsWidth).to(precision));

        // [S, n + S, F]: for each scenario the fields' inner products with its indicator, then a one in its own place.
        var count = scenarioTable is null ? 0 : widths.Length;
        var perScenario = new Tensor[scenarios];
        var ofScenario = new Tensor[scenarios];
        for (var s = 0; s < scenarios; s++)
        {
            var products = zeros(count + scenarios, fieldsWidth, dtype: weight.dtype, device: weight.device);
            if (scenarioTable is not null)
            {
                var indicator = scenarioTable[s];
                for (long i = 0, from = 0; i < count; from += widths[i], i++)
                {
                    var direction = crossingLayer.ProjectionOf((int)i) is { } projection ? projection.weight!.t().matmul(indicator) : indicator;
                    products[i].narrow(0, from, widths[i]).copy_(direction);
                }

                var own = weight.narrow(1, fieldsWidth, scenarioTable.shape[1]);
                ofScenario[s] = own.matmul(indicator) + bias;
            }
            else
            {
                ofScenario[s] = bias;
            }

            perScenario[s] = products;
        }

        crossing = Keep(cat(perScenario, 0));                                                     // [S (n + S), F]
        var ones = eye(scenarios, dtype: weight.dtype, device: weight.device);
        crossingBias = Keep(cat([zeros(scenarios, count, dtype: weight.dtype, device: weight.device), ones], 1).flatten());
        var constant = stack(ofScenario, 0);                                                      // [S, (E + 1) h]
        crossed = Keep(count == 0 ? constant : cat([weight.narrow(1, weight.shape[1] - count, count).t(), constant], 0));

        gate = Keep(mixer.Gate.Second.weight!.clone());
        gateBias = Keep(mixer.Gate.Second.bias!.clone());
        experts = Keep(cat([.. mixer.Experts.Select(e => e.Second.weight!)], 1).to(precision));   // [w, E h]
        expertBias = Keep(stack(mixer.Experts.Select(e => e.Second.bias!), 0));                   // [E, w]
    }

    /// <summary>The user embeddings: [P, outputs].</summary>
    /// <param name="users">The users' fields, side by side: [U, F].</param>
    /// <param name="pairs">The pairs to mix for.</param>
    public Tensor Forward(Tensor users, ScenarioPairs pairs)
    {
        using var scope = NewDisposeScope();
        var products = nn.functional.linear(users, crossing, crossingBias)
            .view(users.shape[0] * scenarios, crossed.shape[0]).index_select(0, pairs.Cells(scenarios));
        var hidden = pairs.OfUsers(MixedPrecision.Linear(users, fields, null)).addmm_(products, crossed).silu_();
        var width = hidden.shape[1] / (expertCount + 1);
        var weights = nn.functional.linear(hidden.narrow(1, expertCount * width, width), gate, gateBias).softmax(-1);    // [P, E]
        var heard = hidden.narrow(1, 0, expertCount * width);
        heard.view(pairs.Count, expertCount, width).mul_(weights.unsqueeze(-1));
        var mixed = MixedPrecision.Linear(heard, experts, null).addmm_(weights, expertBias);
        return SplitMixtureOfExperts.Split(post, mixed, pairs).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { fields, crossing, crossingBias, crossed, gate, gateBias, experts, expertBias })
        {
            tensor.Dispose();
        }
    }

    private static Tensor Keep(Tensor tensor) => tensor.contiguous().DetachFromDisposeScope();
}
