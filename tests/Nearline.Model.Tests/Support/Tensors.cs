using Nearline.Model.Data;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Support;

/// <summary>Helpers for tests on tensors.</summary>
internal static class Tensors
{
    public static double[] Doubles(Tensor tensor) => tensor.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();

    public static Tensor Random(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextDouble() * 2) - 1;
        }

        return tensor(values).view(shape);
    }

    /// <summary>Every parameter and input drawn anew: gradients at zero-initialised layers would test little.</summary>
    public static void Randomize(nn.Module module, int seed, double scale = 0.5)
    {
        using var _ = no_grad();
        foreach (var (place, parameter) in module.parameters().Index())
        {
            using var values = Random((1000 * seed) + place, parameter.shape) * scale;
            parameter.copy_(values.to(parameter.dtype));
        }
    }

    /// <summary>Compares the gradients of a scalar with central differences, for every parameter and input, at some places of each.</summary>
    public static void CheckGradients(Func<Tensor> scalar, IEnumerable<(string Name, Tensor Leaf)> leaves, double tolerance = 1e-6, int places = 12)
    {
        const double step = 1e-5;
        (string Name, Tensor Leaf)[] all = [.. leaves];
        Assert.NotEmpty(all);
        using (var scope = NewDisposeScope())
        {
            scalar().backward();
        }

        foreach (var (name, leaf) in all)
        {
            using var scope = NewDisposeScope();
            using var gradient = no_grad();
            var analytic = leaf.grad is { } g ? Doubles(g) : new double[leaf.numel()];
            var flat = leaf.detach().view(-1);
            var random = new Random(1);
            foreach (var i in Enumerable.Range(0, analytic.Length).OrderBy(_ => random.Next()).Take(places))
            {
                var value = flat[i].item<double>();
                double At(double x)
                {
                    using var inner = NewDisposeScope();
                    flat[i] = tensor(x);
                    return scalar().item<double>();
                }

                var numeric = (At(value + step) - At(value - step)) / (2 * step);
                At(value);
                Assert.True(
                    Math.Abs(numeric - analytic[i]) <= tolerance * (1 + Math.Abs(numeric)),
                    $"{name}[{i}]: {analytic[i]} analytically, {numeric} numerically");
            }
        }
    }

    /// <summary>A batch of users of the tiny world, one pair each with scenarios in turn.</summary>
    public static (BatchTensors Batch, EncodedBatch Encoded, FeatureSchema Schema) Batch(int users, Dataset? dataset = null, int maxLength = 10)
    {
        dataset ??= TinyWorld.Create();
        var schema = FeatureSchema.Build(dataset, maxLength);
        var encoded = new FeatureEncoder(schema).Encode(
            [.. dataset.Users.Take(users).Select((u, i) => (TinyWorld.HistoryOf(u, 1 + (i * 2)), u.Actions[^1].Time))]);
        var pairs = Enumerable.Range(0, users).ToArray();
        return (BatchTensors.From(encoded, pairs, [.. pairs.Select(p => (p + 1) % schema.Scenarios.Count)], schema.Scenarios.Count, CPU), encoded, schema);
    }
}
