using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Support;

/// <summary>Layers in plain loops over a module's numbers, to compare with.</summary>
internal static class Plain
{
    public static Dictionary<string, double[]> Numbers(nn.Module module) =>
        module.named_parameters().ToDictionary(p => p.name, p => Tensors.Doubles(p.parameter), StringComparer.Ordinal);

    public static List<double> Linear(double[] weight, double[] bias, IReadOnlyList<double> x) =>
        [.. bias.Select((b, o) => b + x.Select((v, i) => v * weight[(o * x.Count) + i]).Sum())];

    public static List<double> SwishMlp(Dictionary<string, double[]> numbers, string name, IReadOnlyList<double> x) => Linear(
        numbers[$"{name}.second.weight"],
        numbers[$"{name}.second.bias"],
        [.. Linear(numbers[$"{name}.first.weight"], numbers[$"{name}.first.bias"], x).Select(h => h / (1 + Math.Exp(-h)))]);

    /// <summary>The sum of vectors with the softmax of logits.</summary>
    public static List<double> Weigh(IReadOnlyList<double> logits, IReadOnlyList<IReadOnlyList<double>> vectors)
    {
        var sum = logits.Sum(Math.Exp);
        return [.. vectors[0].Select((_, c) => vectors.Select((v, k) => v[c] * Math.Exp(logits[k]) / sum).Sum())];
    }
}
