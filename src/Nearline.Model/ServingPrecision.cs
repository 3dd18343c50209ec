using static TorchSharp.torch;

namespace Nearline.Model;

/// <summary>In what the user tower's large matrix products run at serving; all else stays in float32.</summary>
public enum ServingPrecision
{
    /// <summary>As trained.</summary>
    Float32,

    /// <summary>Weights and inputs rounded to 8 significant bits; twice as fast and more where the processor has products of it.</summary>
    BFloat16,
}

/// <summary>Precisions as torch knows them.</summary>
internal static class ServingPrecisions
{
    public static ScalarType ToScalarType(this ServingPrecision precision) => precision switch
    {
        ServingPrecision.Float32 => ScalarType.Float32,
        ServingPrecision.BFloat16 => ScalarType.BFloat16,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "must be Float32 or BFloat16"),
    };
}
