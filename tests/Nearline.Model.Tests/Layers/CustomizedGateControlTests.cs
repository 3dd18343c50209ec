using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Layers;

[Collection(TorchTests.Name)]
public sealed class CustomizedGateControlTests : IDisposable
{
    private const int Inputs = 5;
    private const int Outputs = 2;

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 3, 1)]
    [InlineData(3, 3, 2)]
    public void Users_are_what_plain_loops_make_of_shared_and_own_experts(int levels, int scenarios, int own)
    {
        var config = Config(levels, own);
        int[] scenarioOf = [.. new[] { 2, 0, 1, 0, 2, 2 }.Select(s => s % scenarios)];
        using var layer = Layer(config, scenarios);
        var p = Plain.Numbers(layer);
        var features = Tensors.Random(2, scenarioOf.Length, Inputs);
        var x = Tensors.Doubles(features);
        var (users, experts) = layer.Forward(features, Pairs(scenarioOf, scenarios));
        Assert.Equal([scenarioOf.Length, config.Experts + own, config.ExpertWidth], experts!.shape);
        var (actual, outputs) = (Tensors.Doubles(users), Tensors.Doubles(experts));
        for (var row = 0; row < scenarioOf.Length; row++)
        {
            List<double> shared = [.. x[(row * Inputs)..((row + 1) * Inputs)]];
            var inputs = Enumerable.Repeat(shared, scenarios).ToList();
            for (var level = 0; level < levels - 1; level++)
            {
                var name = $"lower.{level}";
                var common = Experts(p, $"{name}.sharedExperts", 0, config.Experts, shared);
                var special = inputs.Select((input, s) => Experts(p, $"{name}.ownExperts", s * own, own, input)).ToList();
                inputs = [.. inputs.Select((input, s) => Plain.Weigh(Plain.SwishMlp(p, $"{name}.gates.{s}", input), [.. common, .. special[s]]))];
                shared = Plain.Weigh(Plain.SwishMlp(p, $"{name}.sharedGate", shared), [.. common, .. special.SelectMany(e => e)]);
            }

            var scenario = scenarioOf[row];
            List<List<double>> last =
            [
                .. Experts(p, "last.sharedExperts", 0, config.Experts, shared),
                .. Experts(p, "last.ownExperts", scenario * own, own, inputs[scenario]),
            ];
            var mixed = Plain.Weigh(Plain.SwishMlp(p, $"last.gates.{scenario}", inputs[scenario]), last);
            AssertNear(Plain.SwishMlp(p, $"post.{scenario}", mixed), actual, row * Outputs);
            AssertNear([.. last.SelectMany(e => e)], outputs, row * last.Count * config.ExpertWidth);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Gradients_agree_with_finite_differences(int levels)
    {
        int[] scenarioOf = [1, 0, 2, 1];
        using var layer = Layer(Config(levels, 1), 3);
        var pairs = Pairs(scenarioOf, 3);
        var features = Tensors.Random(7, scenarioOf.Length, Inputs).requires_grad_();
        var weights = Tensors.Random(8, scenarioOf.Length, Outputs);
        Tensor Scalar()
        {
            var (users, experts) = layer.Forward(features, pairs);
            return (users * weights).sum() + SplitMixtureOfExperts.Disagreement(experts!);
        }

        Tensors.CheckGradients(
            Scalar, [.. layer.named_parameters().Select(p => (p.name, (Tensor)p.parameter)), ("features", features)]);
    }

    [Fact]
    public void A_pair_learns_nothing_of_the_last_experts_of_other_scenarios()
    {
        using var layer = Layer(Config(1, 1), 3);
        layer.Forward(Tensors.Random(7, 2, Inputs), Pairs([1, 1], 3)).Users.sum().backward();
        foreach (var (name, parameter) in layer.named_parameters())
        {
            var isOfOthers = new[] { "last.ownExperts", "last.gates", "post" }
                .Any(part => name.StartsWith(part, StringComparison.Ordinal) && !name.StartsWith($"{part}.1", StringComparison.Ordinal));
            Assert.Equal(isOfOthers, parameter.grad is null || parameter.grad.abs().sum().item<double>() == 0);
        }
    }

    private static M5Config Config(int levels, int own) => TinyWorld.Config with
    {
        Mixing = ScenarioMixing.CustomizedGates,
        MixingLevels = levels,
        ScenarioExperts = own,
        Experts = 2,
        ExpertWidth = 3,
        Hidden = 4,
    };

    private static CustomizedGateControl Layer(M5Config config, int scenarios)
    {
        var layer = new CustomizedGateControl(Inputs, Outputs, scenarios, config).to(ScalarType.Float64);
        Tensors.Randomize(layer, 5);
        return layer;
    }

    private static ScenarioPairs Pairs(int[] scenarioOf, int scenarios) =>
        ScenarioPairs.Of([.. Enumerable.Range(0, scenarioOf.Length)], scenarioOf, scenarioOf.Length, scenarios, CPU);

    private static List<List<double>> Experts(
        Dictionary<string, double[]> p, string name, int first, int count, IReadOnlyList<double> input) =>
        [.. Enumerable.Range(first, count).Select(k => Plain.SwishMlp(p, $"{name}.{k}", input))];

    private static void AssertNear(List<double> expected, double[] actual, int from)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i], actual[from + i], 1e-10);
        }
    }
}
