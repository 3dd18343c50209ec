using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// x w' of few rows with large weights, as serving has them between batches: a general product first copies the weights
/// into the order that it likes, which for few rows takes longer than the product. This one goes through the weights once,
/// as they lie. On processors with vectors of 512 bits; elsewhere the general one is used.
/// </summary>
internal static class SmallProduct
{
    /// <summary>From here on the copy pays.</summary>
    public const int MostRows = 12;

    /// <summary>Smaller weights fit a cache near the core, and cost nothing to copy.</summary>
    private const int LeastWeights = 1 << 15;

    private const int Lanes = 16;
    private const int Columns = 4;

    [ThreadStatic]
    private static float[]? room;

    /// <summary>Whether it is the faster way for these.</summary>
    public static bool Suits(Tensor x, Tensor weight) =>
        Vector512.IsHardwareAccelerated && x.dtype == ScalarType.Float32 && weight.dtype == ScalarType.Float32 &&
        x.dim() == 2 && weight.dim() == 2 && x.shape[0] is > 1 and <= MostRows &&
        weight.shape[0] % Columns == 0 && weight.shape[1] >= Lanes && weight.numel() >= LeastWeights &&
        weight.device_type == DeviceType.CPU && x.device_type == DeviceType.CPU && !is_grad_enabled() && weight.is_contiguous();

    /// <summary>x w' + b: [n, inputs] to [n, outputs], on the CPU, in float32. Outputs come in fours, inputs are at least 16.</summary>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias)
    {
        var (rows, inputs, outputs) = ((int)x.shape[0], (int)x.shape[1], (int)weight.shape[0]);
        using var packed = x.is_contiguous() ? null : x.contiguous();
        var result = empty(rows, outputs, dtype: ScalarType.Float32);
        Multiply(
            Floats(packed ?? x),
            Floats(weight),
            bias is null ? [] : Floats(bias),
            Floats(result),
            rows,
            inputs);
        return result;
    }

    private static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>Rows lie one after the other: x [rows, inputs], weights [outputs, inputs], result [rows, outputs].</summary>
    private static void Multiply(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<float> result, int rows, int inputs)
    {
        // Rows of whole vectors: the last one has what is left at its end, since there it meets the last values of the
        // weights, the first of which were counted before.
        var (left, stride) = (inputs % Lanes, (inputs + Lanes - 1) / Lanes * Lanes);
        if (room is null || room.Length < rows * stride)
        {
            room = new float[rows * stride];
        }

        for (var r = 0; r < rows; r++)
        {
            var row = x.Slice(r * inputs, inputs);
            var copy = room.AsSpan(r * stride, stride);
            row[..(inputs - left)].CopyTo(copy);
            copy[(inputs - left)..].Clear();
            row[(inputs - left)..].CopyTo(copy[(stride - left)..]);
        }

        Multiply(ref MemoryMarshal.GetArrayDataReference(room), stride, weights, bias, result, rows, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Multiply(
        ref float x, int stride, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<float> result, int rows, int inputs)
    {
        var outputs = result.Length / rows;
        for (var o = 0; o < outputs; o += Columns)
        {
            ref var w = ref MemoryMarshal.GetReference(weights.Slice(o * inputs, Columns * inputs));
            ref var y = ref MemoryMarshal.GetReference(result[o..]);
            var start = bias.IsEmpty ? Vector128<float>.Zero : Vector128.Create(bias.Slice(o, Columns));
            var r = 0;
            for (; r + 4 <= rows; r += 4)
            {
                FourByFour(ref w, (nuint)inputs, ref Unsafe.Add(ref x, r * stride), (nuint)stride, start, ref Unsafe.Add(ref y, r * outputs), (nuint)outputs);
            }

            for (; r < rows; r++)
            {
                FourByOne(ref w, (nuint)inputs, ref Unsafe.Add(ref x, r * stride), (nuint)stride, start, ref Unsafe.Add(ref y, r * outputs));
            }
        }
    }

    /// <summary>Inner products of four rows with four of the weights, which are loaded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(
        ref float w, nuint inputs, ref float x, nuint stride, Vector128<float> start, ref float y, nuint outputs)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
        for (nuint i = 0; i < stride; i += Lanes)
        {
            var at = Math.Min(i, inputs - Lanes);
            var w0 = Vector512.LoadUnsafe(ref w, at);
            var w1 = Vector512.LoadUnsafe(ref w, at + inputs);
            var w2 = Vector512.LoadUnsafe(ref w, at + (2 * inputs));
            var w3 = Vector512.LoadUnsafe(ref w, at + (3 * inputs));
            var of = Vector512.LoadUnsafe(ref x, i);
            (a0, a1, a2, a3) = (Add(of, w0, a0), Add(of, w1, a1), Add(of, w2, a2), Add(of, w3, a3));
            of = Vector512.LoadUnsafe(ref x, i + stride);
            (b0, b1, b2, b3) = (Add(of, w0, b0), Add(of, w1, b1), Add(of, w2, b2), Add(of, w3, b3));
            of = Vector512.LoadUnsafe(ref x, i + (2 * stride));
            (c0, c1, c2, c3) = (Add(of, w0, c0), Add(of, w1, c1), Add(of, w2, c2), Add(of, w3, c3));
            of = Vector512.LoadUnsafe(ref x, i + (3 * stride));
            (d0, d1, d2, d3) = (Add(of, w0, d0), Add(of, w1, d1), Add(of, w2, d2), Add(of, w3, d3));
        }

        (start + Sums(a0, a1, a2, a3)).StoreUnsafe(ref y);
        (start + Sums(b0, b1, b2, b3)).StoreUnsafe(ref y, outputs);
        (start + Sums(c0, c1, c2, c3)).StoreUnsafe(ref y, 2 * outputs);
        (start + Sums(d0, d1, d2, d3)).StoreUnsafe(ref y, 3 * outputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByOne(ref float w, nuint inputs, ref float x, nuint stride, Vector128<float> start, ref float y)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        for (nuint i = 0; i < stride; i += Lanes)
        {
            var at = Math.Min(i, inputs - Lanes);
            var of = Vector512.LoadUnsafe(ref x, i);
            a0 = Add(of, Vector512.LoadUnsafe(ref w, at), a0);
            a1 = Add(of, Vector512.LoadUnsafe(ref w, at + inputs), a1);
            a2 = Add(of, Vector512.LoadUnsafe(ref w, at + (2 * inputs)), a2);
            a3 = Add(of, Vector512.LoadUnsafe(ref w, at + (3 * inputs)), a3);
        }

        (start + Sums(a0, a1, a2, a3)).StoreUnsafe(ref y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(Vector512<float> x, Vector512<float> w, Vector512<float> sum) =>
        Vector512.FusedMultiplyAdd(x, w, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) =>
        Vector128.Create(Vector512.Sum(a), Vector512.Sum(b), Vector512.Sum(c), Vector512.Sum(d));
}
