namespace Nearline.Model.Index;

/// <summary>How far a score that a device computes in fp32 may be from <see cref="FloatRows"/>' score of the same row.</summary>
/// <param name="dimension">Of rows and queries.</param>
/// <param name="roundings">On the longest way of a product into a score of <see cref="FloatRows"/>.</param>
/// <param name="longest">The norm of the longest row.</param>
internal sealed class TorchError(int dimension, int roundings, double longest)
{
    private const double Unit = 1.0 / (1 << 24);

    private static readonly double Greatest = Math.ScaleB(1, 126);
    private static readonly double Flushed = Math.ScaleB(1, -123);

    /// <summary>Whether no sum of products can leave the range of float.</summary>
    public bool IsInRange(double queryNorm) => queryNorm * longest <= Greatest && queryNorm <= Greatest;

    /// <summary>
    /// The bound. A sum of products in whatever order, with fused steps or without, is off by at most g(k) |q| |x| with
    /// k the longest chain of roundings, here the dimension; the kernel's own error joins it. The other terms are what is
    /// lost where a device takes subnormal numbers for zero.
    /// </summary>
    public double Bound(double queryNorm)
    {
        var share = Share(dimension) + Share(roundings);
        var flushed = Flushed * (dimension + (Math.Sqrt(dimension) * (queryNorm + longest)));

        // A little more than all, for the roundings of norms and of this.
        return ((share * queryNorm * longest) + flushed) * (1 + 1e-6);
    }

    public static double Norm(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }

    private static double Share(int roundings) => roundings * Unit / (1 - (roundings * Unit));
}
