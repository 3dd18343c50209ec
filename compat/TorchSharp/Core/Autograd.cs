using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static bool is_grad_enabled() => Native.ts_grad_enabled() != 0;
    public static bool is_inference_mode_enabled() => Native.ts_inference_enabled() != 0;
    public static IDisposable no_grad() => new AutoGradMode(false);
    public static IDisposable enable_grad(bool enabled = true) => new AutoGradMode(enabled);
    public static IDisposable set_grad_enabled(bool mode = true) => new AutoGradMode(mode);
    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    /// <summary>The thread's gradient mode until disposal.</summary>
    private sealed class AutoGradMode : IDisposable
    {
        private readonly bool before = is_grad_enabled();

        public AutoGradMode(bool enabled)
        {
            Native.Load();
            Native.ts_set_grad_enabled(enabled ? 1 : 0);
        }

        public void Dispose() => Native.ts_set_grad_enabled(before ? 1 : 0);
    }

    private sealed class InferenceMode : IDisposable
    {
        private nint guard;

        public InferenceMode(bool mode) => guard = Native.ts_inference_enter(mode ? 1 : 0);

        public void Dispose()
        {
            if (guard != 0)
            {
                Native.ts_inference_leave(guard);
                guard = 0;
            }
        }
    }

    public static partial class autograd
    {
        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensor is null ? null : [grad_tensor], retain_graph, create_graph, inputs);

        public static unsafe void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            RequireSameCount(tensors, grad_tensors, nameof(grad_tensors));
            var outs = Handles(tensors);
            var grads = Handles(grad_tensors);
            var ins = Handles(inputs);
            fixed (nint* o = outs, g = grads, i = ins)
            {
                Native.Check(Native.ts_backward(o, g, tensors.Count, Retain(retain_graph), create_graph ? 1 : 0, i, inputs?.Count ?? 0));
            }

            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public static unsafe IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            RequireSameCount(outputs, grad_outputs, nameof(grad_outputs));
            var outs = Handles(outputs);
            var grads = Handles(grad_outputs);
            var ins = Handles(inputs);
            var results = new nint[inputs.Count];
            fixed (nint* o = outs, g = grads, i = ins, r = results)
            {
                Native.Check(Native.ts_grad(o, g, outputs.Count, i, inputs.Count, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, r));
            }

            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            return Array.ConvertAll(results, h => h == 0 ? null! : new Tensor(h));
        }

        public static AnomalyMode detect_anomaly(bool check_nan = true) => new(true, check_nan);

        public static AnomalyMode set_detect_anomaly(bool mode, bool check_nan = true) => new(mode, check_nan);

        // Unsaid: libtorch keeps the graph when it is to create one, and frees it otherwise.
        private static int Retain(bool? value) => value is null ? -1 : value.Value ? 1 : 0;

        private static nint[]? Handles(IList<Tensor>? tensors) =>
            tensors is null || tensors.Count == 0 ? null : tensors.Select(t => t is null ? 0 : t.Handle).ToArray();

        private static void RequireSameCount(IList<Tensor> tensors, IList<Tensor>? gradients, string name)
        {
            if (gradients is { Count: > 0 } && gradients.Count != tensors.Count)
            {
                throw new ArgumentException($"{gradients.Count} gradients given for {tensors.Count} tensors.", name);
            }
        }
    }
}

/// <summary>Autograd's search for the operator that made a NaN, until disposal.</summary>
public class AnomalyMode : IDisposable
{
    private readonly bool wasEnabled = IsEnabled;
    private readonly bool checkedNaN = ShouldCheckNaN;

    public AnomalyMode(bool enabled, bool check_nan = true) => Native.ts_set_anomaly(enabled ? 1 : 0, check_nan ? 1 : 0);

    public static bool IsEnabled => Native.ts_anomaly_enabled() != 0;

    public static bool ShouldCheckNaN => Native.ts_anomaly_checks_nan() != 0;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Native.ts_set_anomaly(wasEnabled ? 1 : 0, checkedNaN ? 1 : 0);
        }
    }
}
