using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Layers;

[Collection(TorchTests.Name)]
public sealed class LayerTests : IDisposable
{
    private const int Width = 6;

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Gradients_of_self_attention_agree_with_finite_differences()
    {
        var (batch, _, _) = Tensors.Batch(5);
        using var layer = new EncoderLayer(TinyWorld.Config with { Width = Width, HeadWidth = 3, FeedForward = 2 }).to(ScalarType.Float64);
        Tensors.Randomize(layer, 1);
        var tokens = Leaf(2, batch.Layout.Tokens, Width);
        var weights = Tensors.Random(3, batch.Layout.Tokens, Width);
        Tensors.CheckGradients(() => (layer.Forward(tokens, batch, bothWays: false) * weights).sum(), Leaves(layer, ("tokens", tokens)), 1e-5);
    }

    [Theory]
    [InlineData("")]
    [InlineData("4,3")]
    public void Gradients_of_SIN_and_pooling_agree_with_finite_differences(string hidden)
    {
        var (batch, _, _) = Tensors.Batch(5);
        using var layer = new SubsidiaryIntensity(Width, Widths(hidden)).to(ScalarType.Float64);
        Tensors.Randomize(layer, 4, 0.3);
        var main = Leaf(5, batch.Layout.Tokens, Width);
        var table = Leaf(6, Subsidiaries.Rows(10), Width);
        Decoration Decorated() => Decoration.Of(table, Subsidiaries.Sizes(10), batch.Subsidiaries);
        foreach (var normalize in new[] { false, true })
        {
            var weights = Tensors.Random(7, batch.Views, SequenceSlots.Count, Width);
            Tensors.CheckGradients(
                () => (InterestPooling.Pool(main, layer.Forward(main, Decorated()), null, batch, normalize) * weights).sum(),
                Leaves(layer, ("main", main), ("table", table)));
            foreach (var leaf in Leaves(layer, ("main", main), ("table", table)))
            {
                leaf.Leaf.grad?.zero_();
            }
        }
    }

    [Fact]
    public void Gradients_of_mixing_and_weighting_agree_with_finite_differences()
    {
        var config = TinyWorld.Config with { ExpertWidth = 4, Hidden = 5, Experts = 3 };
        var pairs = ScenarioPairs.Of([0, 0, 1, 2], [1, 0, 1, 1], 3, 3, CPU);
        int[] widths = [5, 4, 3];
        using var crossing = new ScenarioCrossing(widths, 4).to(ScalarType.Float64);
        using var experts = new SplitMixtureOfExperts(crossing.OutputWidth, 2, 3, config).to(ScalarType.Float64);
        using var weighting = new DynamicWeighting(4, config).to(ScalarType.Float64);
        (Tensor Leaf, string Name)[] fields = [.. widths.Select((w, i) => (Leaf(10 + i, 3, w), $"field {i}"))];
        var scenario = Leaf(20, 4, 4);
        Tensor Scalar()
        {
            var (user, outputs) = experts.Forward(crossing.Forward([.. fields.Select(f => f.Leaf)], scenario, pairs), pairs);
            return (user * weighting.Forward(scenario)).sum() + SplitMixtureOfExperts.Disagreement(outputs!);
        }

        Tensors.CheckGradients(
            Scalar,
            [
                .. Leaves(crossing), .. Leaves(experts).Where(l => !l.Name.StartsWith("post.2", StringComparison.Ordinal)), .. Leaves(weighting),
                ("scenario", scenario), .. fields.Select(f => (f.Name, f.Leaf)),
            ]);
        Assert.All(
            experts.named_parameters().Where(p => p.name.StartsWith("post.2", StringComparison.Ordinal)),
            p => Assert.True(p.parameter.grad is null || p.parameter.grad.abs().sum().item<double>() == 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7,5")]
    public void SIN_begins_as_sum_pooling(string hidden)
    {
        var (batch, encoded, _) = Tensors.Batch(6);
        manual_seed(1);
        using var layer = new SubsidiaryIntensity(Width, Widths(hidden));
        var main = Tensors.Random(8, batch.Layout.Tokens, Width).to(ScalarType.Float32);
        var logits = layer.Forward(main, Decoration.Of(
            Tensors.Random(9, Subsidiaries.Rows(10), Width).to(ScalarType.Float32), Subsidiaries.Sizes(10), batch.Subsidiaries));
        Assert.All(Tensors.Doubles(logits.exp()), i => Assert.Equal(1, i));

        var pooled = Tensors.Doubles(InterestPooling.Pool(main, logits, null, batch, normalize: false));
        var tokens = Tensors.Doubles(main);
        for (var sequence = 0; sequence < 6 * SequenceSlots.Count; sequence++)
        {
            var length = encoded.SequenceStarts[sequence + 1] - encoded.SequenceStarts[sequence];
            for (var c = 0; c < Width; c++)
            {
                var sum = Enumerable.Range(0, length).Sum(j => tokens[((batch.Layout.FirstToken[sequence] + j) * Width) + c]);
                Assert.Equal(sum, pooled[(sequence * Width) + c], 1e-5);
            }
        }
    }

    [Fact]
    public void Intensities_are_equation_3()
    {
        using var layer = new SubsidiaryIntensity(Width, [4]).to(ScalarType.Float64);
        Tensors.Randomize(layer, 12);
        var main = Tensors.Random(13, 3, Width);
        var table = Tensors.Random(14, Subsidiaries.Rows(10), Width);
        var sizes = Subsidiaries.Sizes(10);
        var offsets = Subsidiaries.Offsets(10);
        long[] rows = [.. Enumerable.Range(0, 3 * Subsidiaries.Count).Select(i => (long)offsets[i % 5] + (i * 7 % sizes[i % 5]))];
        var decoration = Decoration.Of(table, sizes, tensor(rows).view(3, Subsidiaries.Count));
        var actual = Tensors.Doubles(layer.Forward(main, decoration).exp());

        var m = Tensors.Doubles(main);
        var s = Tensors.Doubles(table.index_select(0, tensor(rows)));
        var sums = Tensors.Doubles(decoration.Sums());
        var p = layer.named_parameters().ToDictionary(x => x.name, x => Tensors.Doubles(x.parameter));
        for (var t = 0; t < 3; t++)
        {
            var x = new List<double>(m[(t * Width)..((t + 1) * Width)]);
            x.AddRange(s[(t * Width * 5)..((t + 1) * Width * 5)]);
            for (var k = 0; k < 5; k++)
            {
                x.Add(Enumerable.Range(0, Width).Sum(c => m[(t * Width) + c] * s[(((t * 5) + k) * Width) + c]));
            }

            var hidden = Linear(p["layers.0.weight"], p["layers.0.bias"], x).Select(h => Math.Max(0, h)).ToList();
            var expected = Math.Exp(Linear(p["layers.1.weight"], p["layers.1.bias"], hidden)[0]);
            Assert.Equal(expected, actual[t], 1e-10);
            for (var c = 0; c < Width; c++)
            {
                Assert.Equal(Enumerable.Range(0, 5).Sum(k => s[(((t * 5) + k) * Width) + c]), sums[(t * Width) + c], 1e-12);
            }
        }
    }

    [Fact]
    public void Hidden_states_of_wanted_tokens_are_those_of_all()
    {
        var (batch, _, _) = Tensors.Batch(6);
        using var encoder = new SelfAttentionEncoder(TinyWorld.Config with { Width = Width, HeadWidth = 3 }).to(ScalarType.Float64);
        Tensors.Randomize(encoder, 23);
        var input = Tensors.Random(24, batch.Layout.Tokens, Width);
        var wanted = tensor(new long[] { 4, 0, 3 });
        var all = encoder.Forward(input, batch).index_select(0, wanted);
        var some = Tensors.Doubles(encoder.Forward(input, batch, wanted));
        Assert.Equal(3 * Width, some.Length);
        Assert.All(Tensors.Doubles(all).Zip(some), p => Assert.Equal(p.First, p.Second, 1e-12));
    }

    [Fact]
    public void Attention_is_softmax_of_scaled_products_within_each_sequence()
    {
        var (batch, encoded, _) = Tensors.Batch(6);
        using var layer = new EncoderLayer(TinyWorld.Config with { Width = Width, HeadWidth = 3, FeedForward = 2 }).to(ScalarType.Float64);
        Tensors.Randomize(layer, 21);
        var input = Tensors.Random(22, batch.Layout.Tokens, Width);
        var actual = Tensors.Doubles(layer.Forward(input, batch, bothWays: false));
        var x = Tensors.Doubles(input);
        var p = layer.named_parameters().ToDictionary(n => n.name, n => Tensors.Doubles(n.parameter));
        for (var sequence = 0; sequence < 6 * SequenceSlots.Count; sequence++)
        {
            var length = encoded.SequenceStarts[sequence + 1] - encoded.SequenceStarts[sequence];
            var first = batch.Layout.FirstToken[sequence];
            var rows = Enumerable.Range(0, length).Select(j => x[((first + j) * Width)..((first + j + 1) * Width)]).ToList();
            var qkv = rows.Select(r => Linear(p["qkv.weight"], p["qkv.bias"], r)).ToList();
            for (var j = 0; j < length; j++)
            {
                var attended = new double[Width];
                for (var head = 0; head < 2; head++)
                {
                    var scores = Enumerable.Range(0, length).Select(k => Enumerable.Range(head * 3, 3)
                        .Sum(c => qkv[j][c] * qkv[k][Width + c]) / Math.Sqrt(3)).ToArray();
                    var sum = scores.Sum(Math.Exp);
                    for (var c = head * 3; c < (head * 3) + 3; c++)
                    {
                        attended[c] = Enumerable.Range(0, length).Sum(k => Math.Exp(scores[k]) / sum * qkv[k][(2 * Width) + c]);
                    }
                }

                var first1 = Norm(p, "attentionNorm", rows[j].Zip(Linear(p["attended.weight"], p["attended.bias"], attended), (a, b) => a + b));
                var inner = Linear(p["inner.weight"], p["inner.bias"], first1).Select(h => Math.Max(0, h)).ToList();
                var expected = Norm(p, "feedForwardNorm", first1.Zip(Linear(p["outer.weight"], p["outer.bias"], inner), (a, b) => a + b));
                for (var c = 0; c < Width; c++)
                {
                    Assert.Equal(expected[c], actual[((first + j) * Width) + c], 1e-8);
                }
            }
        }
    }

    [Fact]
    public void SMoE_is_equation_4_with_the_tower_of_each_pairs_scenario()
    {
        var config = TinyWorld.Config with { ExpertWidth = 3, Hidden = 4, Experts = 2 };
        var features = Tensors.Random(31, 5, 6);
        int[] scenarios = [2, 0, 1, 0, 2];
        var pairs = ScenarioPairs.Of([0, 1, 2, 3, 4], scenarios, 5, 3, CPU);
        using var layer = new SplitMixtureOfExperts(6, 2, 3, config).to(ScalarType.Float64);
        Tensors.Randomize(layer, 32);
        var (users, outputs) = layer.Forward(features, pairs);
        var (actual, x) = (Tensors.Doubles(users), Tensors.Doubles(features));
        var p = layer.named_parameters().ToDictionary(n => n.name, n => Tensors.Doubles(n.parameter));
        List<double> Mlp(string name, IReadOnlyList<double> input)
        {
            var hidden = Linear(p[$"{name}.first.weight"], p[$"{name}.first.bias"], input).Select(h => h / (1 + Math.Exp(-h))).ToList();
            return Linear(p[$"{name}.second.weight"], p[$"{name}.second.bias"], hidden);
        }

        var disagreement = 0.0;
        for (var row = 0; row < 5; row++)
        {
            var f = x[(row * 6)..((row + 1) * 6)];
            var gates = Mlp("gate", f).Select(Math.Exp).ToArray();
            var experts = Enumerable.Range(0, 2).Select(k => Mlp($"experts.{k}", f)).ToArray();
            var mixed = Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 2).Sum(k => experts[k][c] * gates[k] / gates.Sum())).ToList();
            var expected = Mlp($"post.{scenarios[row]}", mixed);
            Assert.Equal(expected[0], actual[row * 2], 1e-10);
            Assert.Equal(expected[1], actual[(row * 2) + 1], 1e-10);
            double Product(int a, int b) => experts[a].Zip(experts[b], (u, v) => u * v).Sum();
            disagreement += Enumerable.Range(0, 2).Sum(a => Enumerable.Range(0, 2).Sum(b =>
                Math.Abs(Product(a, b)) / Math.Sqrt(Product(a, a) * Product(b, b)))) / 4;
        }

        Assert.Equal(disagreement / 5, SplitMixtureOfExperts.Disagreement(outputs!).item<double>(), 1e-8);
    }

    [Fact]
    public void Scenario_features_are_fields_indicator_and_products_of_the_pairs_user()
    {
        using var layer = new ScenarioCrossing([4, 4, 2], 4).to(ScalarType.Float64);
        Tensor[] fields = [Tensors.Random(41, 2, 4), Tensors.Random(42, 2, 4), Tensors.Random(43, 2, 2)];
        var scenario = Tensors.Random(44, 3, 4);
        var f = layer.Forward(fields, scenario, ScenarioPairs.Of([1, 0, 1], [0, 0, 1], 2, 2, CPU));
        Assert.Equal([3L, 4 + 4 + 2 + 4 + 3], f.shape);
        var row = Tensors.Doubles(f[0]);
        double[] expected = [.. fields.SelectMany(x => Tensors.Doubles(x[1])), .. Tensors.Doubles(scenario[0])];
        Assert.Equal(expected, row[..14]);
        var indicator = Tensors.Doubles(scenario[0]);
        Assert.Equal(Tensors.Doubles(fields[1][1]).Zip(indicator, (a, b) => a * b).Sum(), row[15], 1e-12);
    }

    private static int[] Widths(string text) => text.Length == 0 ? [] : [.. text.Split(',').Select(int.Parse)];

    private static Tensor Leaf(int seed, params long[] shape) => Tensors.Random(seed, shape).requires_grad_();

    private static IEnumerable<(string Name, Tensor Leaf)> Leaves(nn.Module module, params (string, Tensor)[] inputs) =>
        [.. module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)), .. inputs];

    private static List<double> Linear(double[] weight, double[] bias, IReadOnlyList<double> x) =>
        [.. bias.Select((b, o) => b + x.Select((v, i) => v * weight[(o * x.Count) + i]).Sum())];

    private static List<double> Norm(Dictionary<string, double[]> p, string name, IEnumerable<double> values)
    {
        var x = values.ToList();
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + 1e-5);
        return [.. x.Select((v, c) => (((v - mean) / deviation) * p[$"{name}.weight"][c]) + p[$"{name}.bias"][c])];
    }
}
