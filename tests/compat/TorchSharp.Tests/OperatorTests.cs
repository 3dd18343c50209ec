using static TorchSharp.torch;

namespace TorchSharp.Tests;

public class OperatorTests
{
    public static TheoryData<string> Names => new(OperatorCases.All.Select(static c => c.Name));

    [Fact]
    public void The_table_has_each_case_once() => Assert.Equal(OperatorCases.All.Count, OperatorCases.All.Select(static c => c.Name).Distinct(StringComparer.Ordinal).Count());

    [Theory]
    [MemberData(nameof(Names))]
    public void Values_and_gradients_are_PyTorchs(string name)
    {
        var expected = Oracle.Of(name);
        using var scope = NewDisposeScope();
        var inputs = new Inputs();
        manual_seed(42);

        var outputs = OperatorCases.All.Single(c => string.Equals(c.Name, name, StringComparison.Ordinal)).Run(inputs);

        Assert.Equal(expected.Outputs!.Count, outputs.Length);
        for (var k = 0; k < outputs.Length; k++)
        {
            Compare.Same(expected.Outputs[k], outputs[k], $"output {k}");
        }

        Backpropagate(outputs);
        foreach (var input in Inputs.Specifications.Keys)
        {
            using var grad = inputs[input].grad;
            if (expected.Grads!.TryGetValue(input, out var values))
            {
                Assert.True(grad is not null, $"no gradient for {input}");
                Compare.Close(values, grad.to(ScalarType.Float64).contiguous().data<double>().ToArray(), 1e-6, $"gradient of {input}");
            }
            else
            {
                Assert.True(grad is null, $"a gradient for {input}, which PyTorch has not");
            }
        }
    }

    private static void Backpropagate(Tensor[] outputs)
    {
        Tensor? loss = null;
        foreach (var output in outputs.Where(static o => o.requires_grad && o.is_floating_point()))
        {
            var weights = arange(output.numel(), ScalarType.Float64).cos().reshape(output.shape).to(output.dtype);
            var term = (output * weights).sum();
            loss = loss is null ? term : loss + term;
        }

        loss?.backward();
    }
}

internal static class Compare
{
    internal static void Same(Specification expected, Tensor actual, string what)
    {
        Assert.Equal(expected.Shape, actual.shape);
        Assert.Equal(expected.Dtype, TypeName(actual.dtype));
        var wide = actual.detach().to(ScalarType.Float64).contiguous();
        Close(expected.Data, wide.data<double>().ToArray(), actual.dtype == ScalarType.Float64 ? 1e-9 : 2e-6, what);
    }

    internal static void Close(double[] expected, double[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var k = 0; k < expected.Length; k++)
        {
            var same = expected[k].Equals(actual[k]) || Math.Abs(expected[k] - actual[k]) <= tolerance * (1 + Math.Abs(expected[k]));
            Assert.True(same, $"{what}, element {k}: PyTorch has {expected[k]:R}, this {actual[k]:R}");
        }
    }

    private static string TypeName(ScalarType type) => type switch
    {
        ScalarType.Byte => "uint8",
        _ => type.ToString().ToLowerInvariant(),
    };
}
