using static TorchSharp.torch;

namespace TorchSharp.Tests;

/// <summary>The fixed tensors that the cases are about: the same numbers here and in PyTorch.</summary>
internal sealed class Inputs
{
    internal static readonly IReadOnlyDictionary<string, Specification> Specifications = new Dictionary<string, Specification>(StringComparer.Ordinal)
    {
        ["x"] = Real([3, 4], 1, -2, 2),
        ["y"] = Real([3, 4], 2, -2, 2),
        ["p"] = Real([3, 4], 3, 0.2, 3),
        ["u"] = Real([3, 4], 4, -0.9, 0.9),
        ["v"] = Real([4], 5, -2, 2),
        ["w"] = Real([4], 6, -2, 2),
        ["m"] = Real([4, 5], 7, -1, 1),
        ["a"] = Real([4, 4], 8, -1, 1),
        ["b"] = Real([2, 3, 4], 9, -1, 1),
        ["c"] = Real([2, 4, 5], 10, -1, 1),
        ["f"] = Real([3, 4], 11, -2, 2) with { Dtype = "float32" },
        ["i"] = Whole([3, 4], 12, 0, 3),
        ["j"] = Whole([3, 4], 13, 1, 7),
        ["k"] = new("int64", [3], [2, 0, 1]),
        ["s"] = new("int64", [7], [4, 1, 1, 3, 3, 3, 0]),
        ["mask"] = new("bool", [3, 4], [1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1]),
        ["n"] = new("float64", [4], [1, double.NaN, double.PositiveInfinity, double.NegativeInfinity]),
    };

    private readonly Dictionary<string, Tensor> tensors = Specifications.ToDictionary(static s => s.Key, static s => Make(s.Value), StringComparer.Ordinal);

    internal Tensor x => tensors["x"];
    internal Tensor y => tensors["y"];
    internal Tensor p => tensors["p"];
    internal Tensor u => tensors["u"];
    internal Tensor v => tensors["v"];
    internal Tensor w => tensors["w"];
    internal Tensor m => tensors["m"];
    internal Tensor a => tensors["a"];
    internal Tensor b => tensors["b"];
    internal Tensor c => tensors["c"];
    internal Tensor f => tensors["f"];
    internal Tensor i => tensors["i"];
    internal Tensor j => tensors["j"];
    internal Tensor k => tensors["k"];
    internal Tensor s => tensors["s"];
    internal Tensor mask => tensors["mask"];
    internal Tensor n => tensors["n"];

    internal Tensor this[string name] => tensors[name];

    private static Tensor Make(Specification s) => s.Dtype switch
    {
        "float64" => tensor(s.Data, s.Shape, dtype: ScalarType.Float64, requires_grad: true),
        "float32" => tensor(s.Data, s.Shape, dtype: ScalarType.Float32, requires_grad: true),
        "int64" => tensor(s.Data, s.Shape, dtype: ScalarType.Int64),
        "bool" => tensor(s.Data, s.Shape, dtype: ScalarType.Bool),
        _ => throw new ArgumentException(s.Dtype),
    };

    private static Specification Real(long[] shape, int seed, double low, double high)
    {
        var random = new Random(seed);
        return new("float64", shape, Fill(shape, () => Math.Round(low + ((high - low) * random.NextDouble()), 3)));
    }

    private static Specification Whole(long[] shape, int seed, int low, int high)
    {
        var random = new Random(seed);
        return new("int64", shape, Fill(shape, () => random.Next(low, high)));
    }

    private static double[] Fill(long[] shape, Func<double> next) =>
        Enumerable.Range(0, (int)shape.Aggregate(1L, static (a, b) => a * b)).Select(_ => next()).ToArray();
}
