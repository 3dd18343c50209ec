using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// Matrix products in the precision of their weights: what goes in is rounded to it, what comes out is told in the
/// precision that came in. Sums, norms and softmax stay outside of it.
/// </summary>
internal static class MixedPrecision
{
    /// <summary>x w' + b: [n, inputs] to [n, outputs].</summary>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias) =>
        x.dtype == weight.dtype ? Product(x, weight, bias) : Product(x.to(weight.dtype), weight, bias).to(x.dtype);

    /// <summary>The layer in its weights' precision.</summary>
    public static Tensor Forward(Linear layer, Tensor x) => Linear(x, layer.weight!, layer.bias);

    /// <summary>Two layers and what is between them, all in the precision of the first.</summary>
    public static Tensor Forward(Linear first, Func<Tensor, Tensor> activation, Linear second, Tensor x)
    {
        var (inside, outside) = (first.weight!.dtype, x.dtype);
        var inner = activation(Product(inside == outside ? x : x.to(inside), first.weight, first.bias));
        var result = Product(inner, second.weight!, second.bias);
        return inside == outside ? result : result.to(outside);
    }

    /// <summary>
    /// For one row the product of a matrix and a vector: a product of two matrices first copies the weights into the order
    /// that it likes, which for one row costs more than the product.
    /// </summary>
    private static Tensor Product(Tensor x, Tensor weight, Tensor? bias)
    {
        if (SmallProduct.Suits(x, weight))
        {
            return SmallProduct.Linear(x, weight, bias);
        }

        if (x.dtype != ScalarType.Float32 || x.numel() != weight.shape[1] || is_grad_enabled())
        {
            return nn.functional.linear(x, weight, bias!);
        }

        var product = weight.mv(x.flatten());
        return (bias is null ? product : product.add_(bias)).unsqueeze(0);
    }
}
