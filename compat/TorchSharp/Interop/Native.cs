using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp.Optim;

namespace TorchSharp.Interop;

/// <summary>The functions of native/shim.cpp.</summary>
internal static unsafe class Native
{
    private const string Shim = "TorchSharpShim";

    static Native()
    {
        NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Resolve);
    }

    /// <summary>Loads the native half; a failure says what is missing.</summary>
    internal static void Load() => RuntimeHelpers.RunClassConstructor(typeof(Native).TypeHandle);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Shim)
        {
            return 0;
        }

        const string file = "libTorchSharpShim.so";
        var beside = assembly.Location is { Length: > 0 } location ? Path.GetDirectoryName(location)! : AppContext.BaseDirectory;
        foreach (var folder in new[] { AppContext.BaseDirectory, beside })
        {
            var candidate = Path.Combine(folder, file);
            if (!File.Exists(candidate))
            {
                continue;
            }

            try
            {
                UseWideKernels();
                return NativeLibrary.Load(candidate);
            }
            catch (DllNotFoundException e)
            {
                throw new DllNotFoundException(
                    $"{candidate} cannot be loaded, most likely because libtorch is not installed (on Debian: apt-get install libtorch-dev). {e.Message}", e);
            }
        }

        throw new DllNotFoundException(
            $"{file} is not in {AppContext.BaseDirectory}. It is compiled when compat/TorchSharp is built and copied beside the programs that reference it.");
    }

    /// <summary>
    /// OpenBLAS up to 0.3.21 knows AMD's processors with AVX-512 only as older ones and multiplies matrices at little
    /// more than half their speed. It reads its settings when it is loaded, from the process's own environment: .NET's
    /// copy of it would not be seen. What the operator set stays.
    /// </summary>
    private static void UseWideKernels()
    {
        if (OperatingSystem.IsLinux() && Avx512F.IsSupported && Avx512BW.IsSupported && Avx512CD.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported)
        {
            _ = SetVariable("OPENBLAS_CORETYPE", "SKYLAKEX", overwrite: 0);
        }
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);

    [StructLayout(LayoutKind.Sequential)]
    internal struct Value
    {
        public long Tag;
        public long Count;
        public long Bits;
    }

    [DllImport(Shim)] internal static extern byte* ts_error();
    [DllImport(Shim)] internal static extern nint ts_operator(byte* name, byte* overload);
    [DllImport(Shim)] internal static extern int ts_call(nint which, Value* args, int count, Value* results, int capacity);

    [DllImport(Shim)] internal static extern void ts_tensor_free(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern nint ts_tensor_alias(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_dtype(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern long ts_tensor_dim(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern long ts_tensor_numel(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern long ts_tensor_itemsize(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern long ts_tensor_offset(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_is_contiguous(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_is_leaf(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_is_sparse(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_device_type(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_device_index(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_tensor_requires_grad(nint t);
    [DllImport(Shim), SuppressGCTransition] internal static extern void ts_tensor_sizes(nint t, long* into);
    [DllImport(Shim), SuppressGCTransition] internal static extern void ts_tensor_strides(nint t, long* into);
    [DllImport(Shim)] internal static extern void* ts_tensor_data(nint t);
    [DllImport(Shim)] internal static extern int ts_tensor_set_requires_grad(nint t, int value);
    [DllImport(Shim)] internal static extern int ts_tensor_retain_grad(nint t);
    [DllImport(Shim)] internal static extern nint ts_tensor_grad(nint t);
    [DllImport(Shim)] internal static extern int ts_tensor_set_grad(nint t, nint grad);

    [DllImport(Shim)]
    internal static extern int ts_backward(nint* tensors, nint* gradients, long count, int retain_graph, int create_graph, nint* inputs, long inputs_count);

    [DllImport(Shim)]
    internal static extern int ts_grad(nint* outputs, nint* gradients, long count, nint* inputs, long inputs_count, int retain_graph, int create_graph, int allow_unused, nint* results);

    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_grad_enabled();
    [DllImport(Shim), SuppressGCTransition] internal static extern void ts_set_grad_enabled(int value);
    [DllImport(Shim), SuppressGCTransition] internal static extern int ts_inference_enabled();
    [DllImport(Shim)] internal static extern nint ts_inference_enter(int value);
    [DllImport(Shim)] internal static extern void ts_inference_leave(nint guard);
    [DllImport(Shim)] internal static extern int ts_anomaly_enabled();
    [DllImport(Shim)] internal static extern int ts_anomaly_checks_nan();
    [DllImport(Shim)] internal static extern void ts_set_anomaly(int enabled, int check_nan);

    [DllImport(Shim)]
    internal static extern int ts_adam(nint* p, nint* g, nint* m, nint* v, nint* top, long count, AdamKernel.Options* options);

    [DllImport(Shim)] internal static extern nint ts_generator_new(ulong seed, int device_type, int device_index);
    [DllImport(Shim)] internal static extern nint ts_generator_default();
    [DllImport(Shim)] internal static extern void ts_generator_free(nint g);
    [DllImport(Shim)] internal static extern void ts_generator_set_seed(nint g, ulong seed);
    [DllImport(Shim)] internal static extern ulong ts_generator_seed(nint g);
    [DllImport(Shim)] internal static extern ulong ts_generator_reseed(nint g);
    [DllImport(Shim)] internal static extern nint ts_generator_state(nint g);
    [DllImport(Shim)] internal static extern int ts_generator_set_state(nint g, nint state);
    [DllImport(Shim)] internal static extern int ts_threads();
    [DllImport(Shim)] internal static extern int ts_interop_threads();
    [DllImport(Shim)] internal static extern int ts_set_threads(int n);
    [DllImport(Shim)] internal static extern int ts_set_interop_threads(int n);
    [DllImport(Shim)] internal static extern int ts_cuda_available();
    [DllImport(Shim)] internal static extern int ts_cuda_count();
    [DllImport(Shim)] internal static extern int ts_cuda_manual_seed(ulong seed, int all);
    [DllImport(Shim)] internal static extern int ts_cuda_synchronize(int index);

    /// <summary>Throws what the last failed call on this thread reported.</summary>
    internal static void Throw() => throw new ExternalException(Marshal.PtrToStringUTF8((nint)ts_error()));

    internal static void Check(int status)
    {
        if (status < 0)
        {
            Throw();
        }
    }

    internal static nint Check(nint handle)
    {
        if (handle == 0)
        {
            Throw();
        }

        return handle;
    }
}
