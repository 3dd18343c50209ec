using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>One argument of an operator. The tags are those of native/shim.cpp.</summary>
internal readonly struct Arg
{
    internal enum Tags : long
    {
        None, Tensor, Int, Double, Bool, Ints, Doubles, Tensors, String, Device, Generator,
    }

    internal readonly object? Object;
    internal readonly long Bits;
    internal readonly Tags Tag;

    private Arg(Tags tag, long bits, object? value = null)
    {
        Tag = tag;
        Bits = bits;
        Object = value;
    }

    /// <summary>An optional argument that is absent.</summary>
    internal static Arg None => default;

    private static Arg Reference(Tags tag, object? value) => value is null ? default : new(tag, 0, value);

    public static implicit operator Arg(Tensor? value) => Reference(Tags.Tensor, value);
    public static implicit operator Arg(Tensor?[]? value) => Reference(Tags.Tensors, value);
    public static implicit operator Arg(List<Tensor> value) => Reference(Tags.Tensors, value.ToArray());
    public static implicit operator Arg(Generator? value) => Reference(Tags.Generator, value);
    public static implicit operator Arg(string? value) => Reference(Tags.String, value);
    public static implicit operator Arg(long[]? value) => Reference(Tags.Ints, value);
    public static implicit operator Arg(double[]? value) => Reference(Tags.Doubles, value);
    public static implicit operator Arg(ReadOnlySpan<long> value) => Reference(Tags.Ints, value.ToArray());
    public static implicit operator Arg(Size value) => Reference(Tags.Ints, value.Shape);
    public static implicit operator Arg(int value) => new(Tags.Int, value);
    public static implicit operator Arg(long value) => new(Tags.Int, value);
    public static implicit operator Arg(double value) => new(Tags.Double, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Arg(bool value) => new(Tags.Bool, value ? 1 : 0);
    public static implicit operator Arg(long? value) => value is { } v ? v : default(Arg);
    public static implicit operator Arg(double? value) => value is { } v ? v : default(Arg);
    public static implicit operator Arg(bool? value) => value is { } v ? v : default(Arg);
    public static implicit operator Arg(ScalarType value) => new(Tags.Int, (long)value);
    public static implicit operator Arg(ScalarType? value) => value is { } v ? v : default(Arg);
    public static implicit operator Arg(Device? value) => Reference(Tags.Device, value);
    public static implicit operator Arg(Scalar? value) => value is null ? default : value.ToArg();
}
