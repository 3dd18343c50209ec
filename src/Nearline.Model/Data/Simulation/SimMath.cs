namespace Nearline.Model.Data.Simulation;

/// <summary>
/// exp and log from additions, products and quotients alone: the runtime's own differ in the last bit between
/// platforms, and a world must not.
/// </summary>
internal static class SimMath
{
    private const double Ln2 = 0.693147180559945309417232121458;
    private const int ExponentBias = 1023;
    private const int FractionBits = 52;

    /// <summary>e to the x; 0 below -700, x is cut off at 700.</summary>
    public static double Exp(double x)
    {
        if (x < -700)
        {
            return 0;
        }

        x = Math.Min(x, 700);
        var power = Math.Floor((x / Ln2) + 0.5);
        var rest = x - (power * Ln2);
        var sum = 1.0;
        for (var term = 13; term >= 1; term--)
        {
            sum = 1 + (sum * rest / term);
        }

        return sum * BitConverter.Int64BitsToDouble(((long)power + ExponentBias) << FractionBits);
    }

    /// <summary>The natural logarithm of a normal number above 0.</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var power = (bits >> FractionBits) - ExponentBias;
        var mantissa = BitConverter.Int64BitsToDouble(
            (bits & ((1L << FractionBits) - 1)) | ((long)ExponentBias << FractionBits));
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            power++;
        }

        // log m = 2 artanh s
        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var sum = 0.0;
        for (var odd = 21; odd >= 1; odd -= 2)
        {
            sum = (sum * square) + (1.0 / odd);
        }

        return (power * Ln2) + (2 * s * sum);
    }

    /// <summary>1 / (1 + e to the -x).</summary>
    public static double Sigmoid(double x) => 1 / (1 + Exp(-x));
}
