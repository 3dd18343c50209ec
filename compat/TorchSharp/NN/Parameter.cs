using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    /// <summary>A tensor that a module trains. It takes the native tensor over from the one it is made of.</summary>
    public class Parameter : Tensor
    {
        public Parameter(Tensor data, bool requires_grad = true)
            : base(data.with_requires_grad(requires_grad).TakeHandle(), register: false)
        {
            DisposeScope.Replace(data, this);
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public partial class Tensor
        {
            /// <summary>Empties this object for another that goes on with the native tensor and counts in its stead.</summary>
            internal nint TakeHandle()
            {
                GC.SuppressFinalize(this);
                Interlocked.Decrement(ref total);
                var taken = handle;
                handle = 0;
                return taken;
            }
        }

        public static partial class nn
        {
            public static Modules.Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}
