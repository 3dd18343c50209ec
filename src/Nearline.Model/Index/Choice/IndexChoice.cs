using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Index;

/// <summary>Builds the index of a model with the backend that was asked for, or with the one that suits.</summary>
internal static class IndexChoice
{
    /// <summary>How much faster another backend must be: near the boundary a choice should not depend on the day.</summary>
    private const double Clearly = 1.25;

    /// <summary>Builds, on a thread that gives way to serving, and measures.</summary>
    /// <param name="rows">[count, dimension].</param>
    /// <param name="dimension">Width of a row.</param>
    /// <param name="device">The model's.</param>
    /// <param name="options">What is wanted.</param>
    /// <exception cref="ArgumentException">Rows or options are wrong.</exception>
    public static (IItemIndex Index, IndexInfo Info) Build(float[] rows, int dimension, Device device, BackendOptions options)
    {
        options.Validate();
        return options.Backend == IndexBackends.Auto
            ? Choose(rows, dimension, device, options)
            : AsAsked(rows, dimension, device, options);
    }

    private static (IItemIndex Index, IndexInfo Info) AsAsked(float[] rows, int dimension, Device device, BackendOptions options)
    {
        var index = Make(options.Backend, rows, dimension, device);
        return (index, Info(index, [BackendTrial.Measure(index, options)], "as asked for"));
    }

    private static (IItemIndex Index, IndexInfo Info) Choose(float[] rows, int dimension, Device device, BackendOptions options)
    {
        var cpu = Make(IndexBackends.ExactCpu, rows, dimension, device);
        var timing = BackendTrial.Measure(cpu, options);
        if (device.type != DeviceType.CUDA)
        {
            return (cpu, Info(cpu, [timing], "auto: exact, and there is no GPU to try"));
        }

        IItemIndex gpu;
        BackendTiming gpuTiming;
        try
        {
            gpu = Make(IndexBackends.ExactTorch, rows, dimension, device);
            gpuTiming = BackendTrial.Measure(gpu, options);
        }
        catch (Exception e) when (e is ExternalException or InvalidOperationException)
        {
            // Not enough memory beside the model, or a device that does not compute in fp32.
            return (cpu, Info(cpu, [timing], $"auto: exact; {IndexBackends.ExactTorch} failed: {FirstLine(e.Message)}"));
        }

        var (taken, left) = gpuTiming.Milliseconds * Clearly < timing.Milliseconds ? (gpu, cpu) : (cpu, gpu);
        left.Dispose();
        BackendTiming[] timings = taken == gpu ? [gpuTiming, timing] : [timing, gpuTiming];
        return (taken, Info(taken, timings, string.Create(
            CultureInfo.InvariantCulture,
            $"auto: exact, {(taken == gpu ? $"more than {Clearly} times as fast as {cpu.Backend}" : $"{gpu.Backend} is not {Clearly} times as fast")}")));
    }

    private static IItemIndex Make(string backend, float[] rows, int dimension, Device device) => QuietThread.Run<IItemIndex>(() => backend switch
    {
        IndexBackends.ExactCpu => new ExactIndex(rows, dimension, new SearchSettings { BuildThreads = 1 }),
        IndexBackends.ExactTorch => new TorchIndex(rows, dimension, device, new TorchSettings()),
        _ => throw new ArgumentException($"backend: '{backend}'", nameof(backend)),
    });

    private static IndexInfo Info(IItemIndex index, IReadOnlyList<BackendTiming> timings, string why) =>
        IndexInfo.Of(index, why) with { Timings = timings };

    private static string FirstLine(string message) => message.Split('\n')[0].TrimEnd();
}
