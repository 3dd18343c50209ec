using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static string? Rounding(RoundingMode mode) => mode switch
        {
            RoundingMode.None => null,
            RoundingMode.trunc => "trunc",
            RoundingMode.floor => "floor",
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a rounding mode"),
        };

        /// <summary>This tensor, or one of the type asked for.</summary>
        private Tensor As(ScalarType? type) => type is { } t && t != dtype ? to_type(t) : this;

        /// <summary>Operators with an out argument answer with it; the caller keeps its own object.</summary>
        private static Tensor Into(Tensor target, Tensor result)
        {
            result.Dispose();
            return target;
        }

        /// <summary>A result that the operator always makes, or null where it was not asked for.</summary>
        private static Tensor? Wanted(Tensor? result, bool wanted)
        {
            if (!wanted)
            {
                result?.Dispose();
                return null;
            }

            return result;
        }
    }
}
