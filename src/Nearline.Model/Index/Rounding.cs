namespace Nearline.Model.Index;

/// <summary>Arithmetic of bounds: always away from what they bound.</summary>
internal static class Rounding
{
    /// <summary>More than the rounding of a sum of up to a million terms in double takes away.</summary>
    public static double Grown(double value) => value * (1 + 1e-9);

    /// <summary>The least float that is not less.</summary>
    public static float Up(double value)
    {
        var rounded = (float)value;
        return rounded < value ? MathF.BitIncrement(rounded) : rounded;
    }

    /// <summary>The nearest of -127 to 127 steps.</summary>
    public static sbyte ToInt8(float value, float scale) =>
        (sbyte)Math.Clamp(Math.Round((double)value / scale), -sbyte.MaxValue, sbyte.MaxValue);
}
