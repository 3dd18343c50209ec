using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Layers;

/// <summary>Few rows times large weights give what the sums in double precision give, whatever the sizes.</summary>
public sealed class SmallProductTests
{
    [Fact]
    public void Equals_sums_in_double_precision() => Prop.ForAll<int>(seed =>
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        var random = new Random(seed);
        var (rows, inputs, outputs) = (random.Next(1, SmallProduct.MostRows + 1), random.Next(16, 200), 4 * random.Next(1, 30));
        var (x, weight) = (randn(rows, inputs), randn(outputs, inputs));
        var bias = random.Next(2) == 0 ? null : randn(outputs);
        var expected = x.to(float64).matmul(weight.to(float64).t()) + (bias?.to(float64) ?? zeros(1, dtype: float64));

        // A view whose rows lie apart, as experts' outputs do.
        var apart = cat([x, randn(rows, 3)], 1).narrow(1, 0, inputs);

        foreach (var given in new[] { x, apart })
        {
            var difference = (SmallProduct.Linear(given, weight, bias).to(float64) - expected).abs().max().item<double>();
            Assert.True(difference < 1e-4, $"{rows} rows, {inputs} inputs, {outputs} outputs: {difference}");
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Only_what_serving_multiplies_is_multiplied_so()
    {
        using var scope = NewDisposeScope();
        var weight = randn(256, 256);
        Assert.False(SmallProduct.Suits(randn(4, 256), weight), "gradients are wanted");
        using var gradient = no_grad();
        Assert.Equal(System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated, SmallProduct.Suits(randn(4, 256), weight));
        Assert.False(SmallProduct.Suits(randn(1, 256), weight), "one row");
        Assert.False(SmallProduct.Suits(randn(SmallProduct.MostRows + 1, 256), weight), "many rows");
        Assert.False(SmallProduct.Suits(randn(4, 256), randn(256, 256).t()), "weights that lie otherwise");
        Assert.False(SmallProduct.Suits(randn(4, 256).to(bfloat16), weight.to(bfloat16)), "another precision");
        Assert.False(SmallProduct.Suits(randn(4, 16), randn(4, 16)), "small weights");
    }
}
