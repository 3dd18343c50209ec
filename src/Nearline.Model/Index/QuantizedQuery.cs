using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// What of a query bounds its scores, in units of its scale: with I the whole-number product, s, e and n the row's scale,
/// error and norm, a score divided by <see cref="Scale"/> lies within s I ± (<see cref="ErrorFactor"/> e +
/// <see cref="NormFactor"/> n + <see cref="Constant"/>). docs/index.md has the proof.
/// </summary>
/// <param name="Scale">What one step of the int8 values is worth.</param>
/// <param name="ErrorFactor">The norm of the query, for what the row lost.</param>
/// <param name="NormFactor">The norm of what the query lost, and the rounding of the bound itself.</param>
/// <param name="Constant">Underflow.</param>
/// <param name="Sum">Of the int8 values.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct QuantizedQuery(float Scale, float ErrorFactor, float NormFactor, float Constant, int Sum)
{
    // Of float: half an ulp of one, and the least positive number.
    private const double Unit = 1.0 / (1 << 24);
    private static readonly double Least = Math.ScaleB(1, -149);

    // Below it the scale could underflow; above it sums could overflow. Such queries are scored in fp32.
    private static readonly double LeastPeak = Math.ScaleB(1, -100);
    private static readonly double Greatest = Math.ScaleB(1, 126);

    /// <summary>Makes the int8 values.</summary>
    /// <param name="query">In fp32.</param>
    /// <param name="rows">That it will be multiplied with.</param>
    /// <param name="values">[stride], to be written.</param>
    /// <param name="quantized">The rest.</param>
    /// <returns>False where no bound holds in float: a query of zeros, or products near the ends of its range.</returns>
    public static bool TryCreate(ReadOnlySpan<float> query, Int8Rows rows, Span<sbyte> values, out QuantizedQuery quantized)
    {
        quantized = default;
        double peak = 0, square = 0;
        foreach (var value in query)
        {
            peak = Math.Max(peak, Math.Abs((double)value));
            square += (double)value * value;
        }

        var norm = Rounding.Grown(Math.Sqrt(square));
        if (!(peak >= LeastPeak) || norm * rows.GreatestNorm > Greatest)
        {
            return false;
        }

        var scale = (float)(peak / sbyte.MaxValue);
        var sum = 0;
        double lost = 0, wholeSquare = 0;
        values.Clear();
        for (var i = 0; i < query.Length; i++)
        {
            var whole = Rounding.ToInt8(query[i], scale);
            var rest = query[i] - ((double)whole * scale);
            (values[i], sum) = (whole, sum + whole);
            lost += rest * rest;
            wholeSquare += whole * whole;
        }

        var slack = 1 + (8 * Unit);
        var error = norm / scale * slack;
        var whole8 = Rounding.Grown(Math.Sqrt(wholeSquare));
        var normFactor = (Rounding.Grown(Math.Sqrt(lost) / scale) + (4 * Unit * whole8)) * slack;
        var constant = ((rows.Stride * Least / scale) + Math.ScaleB(1, -145)) * slack;
        if ((error * rows.GreatestError) + ((normFactor + whole8) * rows.GreatestNorm) + constant > Greatest)
        {
            return false;
        }

        quantized = new QuantizedQuery(scale, Rounding.Up(error), Rounding.Up(normFactor), Rounding.Up(constant), sum);
        return true;
    }
}
