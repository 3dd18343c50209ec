using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Index;

/// <summary>
/// Whether a device multiplies matrices in fp32. TensorFloat-32 keeps 10 bits of each value, and whether it is used depends
/// on the process's settings, its environment and the device: so it is tried.
/// </summary>
internal static class TorchPrecision
{
    // As large as what runs on tensor cores where they are used.
    private const int Height = 64, Inner = 256, Width = 1024;

    // One bit more than TensorFloat-32 and bf16 keep. Sums of as many as there are stay exact in fp32, in any order.
    private const float Value = 1 + (1f / (1 << 12));

    /// <param name="device">Where.</param>
    /// <param name="multiply">The matrix product.</param>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public static void Check(Device device, Func<Tensor, Tensor, Tensor> multiply)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var product = multiply(full([Height, Inner], Value, device: device), ones([Inner, Width], device: device));
        foreach (var value in product.cpu().data<float>())
        {
            if (value != Inner * Value)
            {
                throw new InvalidOperationException(
                    $"device {device}: {Inner} times {Value} is {value} in a matrix product, not the {Inner * Value} of fp32: TF32 or bf16 is on. NVIDIA_TF32_OVERRIDE=0 or torch.backends.cuda.matmul.allow_tf32 = false turns it off; or use {IndexBackends.ExactCpu}");
            }
        }
    }
}
