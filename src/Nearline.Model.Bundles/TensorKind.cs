namespace Nearline.Model.Bundles;

/// <summary>The element types of safetensors that a bundle uses.</summary>
public enum TensorKind
{
    /// <summary>IEEE single, 4 bytes.</summary>
    F32,

    /// <summary>IEEE half, 2 bytes.</summary>
    F16,

    /// <summary>Signed, 8 bytes.</summary>
    I64,

    /// <summary>Signed, 4 bytes.</summary>
    I32,

    /// <summary>Unsigned, 1 byte.</summary>
    U8,
}

/// <summary>Sizes and .NET types of the kinds.</summary>
internal static class TensorKinds
{
    public const string All = "F32, F16, I64, I32, U8";

    public static int SizeOf(TensorKind kind) => kind switch
    {
        TensorKind.I64 => 8,
        TensorKind.F32 or TensorKind.I32 => 4,
        TensorKind.F16 => 2,
        TensorKind.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, All),
    };

    public static TensorKind Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? TensorKind.F32 :
        typeof(T) == typeof(Half) ? TensorKind.F16 :
        typeof(T) == typeof(long) ? TensorKind.I64 :
        typeof(T) == typeof(int) ? TensorKind.I32 :
        typeof(T) == typeof(byte) ? TensorKind.U8 :
        throw new NotSupportedException($"{typeof(T).Name}: not an element type; float, Half, long, int or byte");

    public static TensorKind? Parse(string name) => name switch
    {
        "F32" => TensorKind.F32,
        "F16" => TensorKind.F16,
        "I64" => TensorKind.I64,
        "I32" => TensorKind.I32,
        "U8" => TensorKind.U8,
        _ => null,
    };
}
