using TorchSharp.Interop;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>A number given to an operator. As in libtorch it is a double, a 64-bit integer or a bool.</summary>
public sealed class Scalar : IDisposable
{
    private readonly ScalarType type;
    private readonly long bits;

    private Scalar(ScalarType type, long bits)
    {
        this.type = type;
        this.bits = bits;
    }

    public ScalarType Type => type;

    internal double AsDouble => type == ScalarType.Float64 ? BitConverter.Int64BitsToDouble(bits) : bits;

    internal long AsInt64 => type == ScalarType.Float64 ? (long)BitConverter.Int64BitsToDouble(bits) : bits;

    internal Arg ToArg() => type switch
    {
        ScalarType.Float64 => BitConverter.Int64BitsToDouble(bits),
        ScalarType.Bool => bits != 0,
        _ => bits,
    };

    public void Dispose()
    {
    }

    public static implicit operator Scalar(byte value) => new(ScalarType.Int64, value);
    public static implicit operator Scalar(sbyte value) => new(ScalarType.Int64, value);
    public static implicit operator Scalar(short value) => new(ScalarType.Int64, value);
    public static implicit operator Scalar(int value) => new(ScalarType.Int64, value);
    public static implicit operator Scalar(long value) => new(ScalarType.Int64, value);
    public static implicit operator Scalar(float value) => new(ScalarType.Float64, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Scalar(double value) => new(ScalarType.Float64, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Scalar(Half value) => (double)value;
    public static implicit operator Scalar(bool value) => new(ScalarType.Bool, value ? 1 : 0);
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;
    public static Scalar ToScalar(this sbyte value) => value;
    public static Scalar ToScalar(this short value) => value;
    public static Scalar ToScalar(this int value) => value;
    public static Scalar ToScalar(this long value) => value;
    public static Scalar ToScalar(this float value) => value;
    public static Scalar ToScalar(this double value) => value;
    public static Scalar ToScalar(this Half value) => value;
    public static Scalar ToScalar(this bool value) => value;

    public static byte ToByte(this Scalar value) => (byte)value.AsInt64;
    public static sbyte ToSByte(this Scalar value) => (sbyte)value.AsInt64;
    public static short ToInt16(this Scalar value) => (short)value.AsInt64;
    public static int ToInt32(this Scalar value) => (int)value.AsInt64;
    public static long ToInt64(this Scalar value) => value.AsInt64;
    public static float ToSingle(this Scalar value) => (float)value.AsDouble;
    public static double ToDouble(this Scalar value) => value.AsDouble;
    public static Half ToHalf(this Scalar value) => (Half)value.AsDouble;
    public static bool ToBoolean(this Scalar value) => value.AsDouble != 0;
}
