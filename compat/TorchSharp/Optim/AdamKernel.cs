using System.Runtime.InteropServices;
using TorchSharp.Interop;
using static TorchSharp.torch;

namespace TorchSharp.Optim;

/// <summary>
/// One step of Adam or AdamW for parameters that have made equally many. Dense CPU parameters go through a kernel that
/// reads and writes each number once; all others through one operator call per operation for the whole list.
/// </summary>
internal static unsafe class AdamKernel
{
    internal readonly record struct Item(Tensor Parameter, Tensor Gradient, Tensor First, Tensor Second, Tensor? Largest);

    [StructLayout(LayoutKind.Sequential)]
    internal struct Options
    {
        public double LearningRate;
        public double Beta1;
        public double Beta2;
        public double Eps;
        public double WeightDecay;
        public double Correction1;
        public double Correction2;
        public int Decoupled;
        public int Maximize;
    }

    internal static void Step(Item[] items, long step, Options options)
    {
        options.Correction1 = 1 - Math.Pow(options.Beta1, step);
        options.Correction2 = 1 - Math.Pow(options.Beta2, step);
        var plain = items.Where(IsPlain).ToArray();
        if (plain.Length > 0)
        {
            InOnePass(plain, options);
        }

        if (plain.Length < items.Length)
        {
            ByOperators(items.Where(static i => !IsPlain(i)).ToArray(), options);
        }
    }

    private static bool IsPlain(Item item)
    {
        var type = item.Parameter.dtype;
        return type is ScalarType.Float32 or ScalarType.Float64
            && Fits(item.Parameter) && Fits(item.Gradient) && Fits(item.First) && Fits(item.Second) && (item.Largest is null || Fits(item.Largest));

        bool Fits(Tensor t) => t.device_type == DeviceType.CPU && t.dtype == type && t.is_contiguous() && t.numel() == item.Parameter.numel();
    }

    private static void InOnePass(Item[] items, Options options)
    {
        var handles = new nint[items.Length * 5];
        for (var k = 0; k < items.Length; k++)
        {
            handles[k] = items[k].Parameter.Handle;
            handles[items.Length + k] = items[k].Gradient.Handle;
            handles[(2 * items.Length) + k] = items[k].First.Handle;
            handles[(3 * items.Length) + k] = items[k].Second.Handle;
            handles[(4 * items.Length) + k] = items[k].Largest?.Handle ?? 0;
        }

        fixed (nint* h = handles)
        {
            var n = items.Length;
            Native.Check(Native.ts_adam(h, h + n, h + (2 * n), h + (3 * n), h + (4 * n), n, &options));
        }

        GC.KeepAlive(items);
    }

    private static void ByOperators(Item[] items, in Options options)
    {
        var parameters = Array.ConvertAll(items, static i => i.Parameter);
        var gradients = Array.ConvertAll(items, static i => i.Gradient);
        var first = Array.ConvertAll(items, static i => i.First);
        var second = Array.ConvertAll(items, static i => i.Second);
        if (options.Maximize != 0)
        {
            gradients = Op.List("_foreach_neg", gradients);
        }

        if (options.WeightDecay != 0)
        {
            if (options.Decoupled != 0)
            {
                Op.Void("_foreach_mul_.Scalar", parameters, 1 - (options.LearningRate * options.WeightDecay));
            }
            else
            {
                gradients = Op.List("_foreach_add.List", gradients, parameters, options.WeightDecay);
            }
        }

        Op.Void("_foreach_mul_.Scalar", first, options.Beta1);
        Op.Void("_foreach_add_.List", first, gradients, 1 - options.Beta1);
        Op.Void("_foreach_mul_.Scalar", second, options.Beta2);
        Op.Void("_foreach_addcmul_.Scalar", second, gradients, gradients, 1 - options.Beta2);
        var largest = second;
        if (items[0].Largest is not null)
        {
            largest = Array.ConvertAll(items, static i => i.Largest!);
            for (var k = 0; k < largest.Length; k++)
            {
                Op.Void("maximum.out", largest[k], second[k], largest[k]);
            }
        }

        var root = Op.List("_foreach_sqrt", largest);
        Op.Void("_foreach_div_.Scalar", root, Math.Sqrt(options.Correction2));
        Op.Void("_foreach_add_.Scalar", root, options.Eps);
        Op.Void("_foreach_addcdiv_.Scalar", parameters, first, root, -options.LearningRate / options.Correction1);
    }
}
