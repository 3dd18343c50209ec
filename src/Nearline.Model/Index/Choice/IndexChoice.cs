using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Nearline.Model.Index.Hnsw;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Index;

/// <summary>Builds the index of a model with the backend that was asked for, or with the one that suits.</summary>
/// <param name="rows">[count, dimension].</param>
/// <param name="dimension">Width of a row.</param>
/// <param name="device">The model's.</param>
/// <param name="options">What is wanted.</param>
/// <param name="files">Where a graph may be saved; null: nowhere.</param>
internal sealed class IndexChoice(float[] rows, int dimension, Device device, BackendOptions options, HnswFiles? files)
{
    /// <summary>How much faster another exact backend must be: near the boundary a choice should not depend on the day.</summary>
    private const double Clearly = 1.25;

    /// <summary>How much faster a backend must be that may miss some of the best.</summary>
    private const double WorthMisses = 2;

    /// <summary>Builds, out of the way of those who are served, and measures.</summary>
    /// <exception cref="ArgumentException">Rows or options are wrong.</exception>
    /// <exception cref="InvalidDataException">The bundle's graph is broken, or of other rows.</exception>
    public static (IItemIndex Index, IndexInfo Info) Build(
        float[] rows, int dimension, Device device, BackendOptions options, HnswFiles? files = null)
    {
        options.Validate();
        var choice = new IndexChoice(rows, dimension, device, options, files);
        return options.Backend == IndexBackends.Auto ? choice.Auto() : choice.AsAsked();
    }

    private (IItemIndex Index, IndexInfo Info) AsAsked()
    {
        var (index, how) = options.Backend switch
        {
            IndexBackends.ExactTorch => (Torch(), ""),
            IndexBackends.Hnsw => Hnsw(),
            _ => (Cpu(), ""),
        };
        return Measured(index, "as asked for" + how);
    }

    private (IItemIndex Index, IndexInfo Info) Auto()
    {
        var exact = Exact();
        var cost = exact.Info.Timings[0].Milliseconds;
        var budget = string.Create(CultureInfo.InvariantCulture, $"the budget of {options.ExactBudget.TotalMilliseconds:0.###} ms");
        if (cost <= options.ExactBudget.TotalMilliseconds)
        {
            return (exact.Index, exact.Info with { Why = $"{exact.Info.Why}, within {budget}" });
        }

        if (files?.Bundled is null)
        {
            return (exact.Index, exact.Info with { Why = $"{exact.Info.Why}; above {budget}, but the bundle has no {HnswFiles.Name}: nearline train --index hnsw writes one" });
        }

        var hnsw = Measured(files.Open(rows, dimension)!, "");
        var isFaster = hnsw.Info.Timings[0].Milliseconds * WorthMisses < cost;
        var (taken, left) = isFaster ? (hnsw, exact) : (exact, hnsw);
        left.Index.Dispose();
        return (taken.Index, taken.Info with
        {
            Timings = [.. taken.Info.Timings, .. left.Info.Timings],
            Why = isFaster
                ? $"auto: exact is above {budget}, and this more than {WorthMisses} times as fast"
                : $"{exact.Info.Why}; above {budget}, but {hnsw.Index.Backend} is not {WorthMisses} times as fast",
        });
    }

    private (IItemIndex Index, IndexInfo Info) Exact()
    {
        var cpu = Measured(Cpu(), "auto: exact");
        if (device.type != DeviceType.CUDA)
        {
            return cpu;
        }

        (IItemIndex Index, IndexInfo Info) gpu;
        try
        {
            gpu = Measured(Torch(), "auto: exact");
        }
        catch (Exception e) when (e is ExternalException or InvalidOperationException)
        {
            // Not enough memory beside the model, or a device that does not compute in fp32.
            return (cpu.Index, cpu.Info with { Why = $"auto: exact ({IndexBackends.ExactTorch} failed: {e.Message.Split('\n')[0].TrimEnd()})" });
        }

        var isFaster = gpu.Info.Timings[0].Milliseconds * Clearly < cpu.Info.Timings[0].Milliseconds;
        var (taken, left) = isFaster ? (gpu, cpu) : (cpu, gpu);
        left.Index.Dispose();
        return (taken.Index, taken.Info with { Timings = [.. taken.Info.Timings, .. left.Info.Timings] });
    }

    private ExactIndex Cpu() =>
        QuietThread.Run(() => new ExactIndex(rows, dimension, new SearchSettings { BuildThreads = 1 }));

    private IItemIndex Torch() => QuietThread.Run(() => new TorchIndex(rows, dimension, device, new TorchSettings()));

    /// <summary>The graph that is saved, or else a new one, saved for the next load.</summary>
    private (IItemIndex Index, string How) Hnsw()
    {
        if (files?.Open(rows, dimension) is { } saved)
        {
            return (saved, files.Bundled is null ? $", from {files.Beside}" : ", from the bundle");
        }

        // Half the cores: minutes of all of them would be felt. Threads of the pool keep their priority.
        var threads = Math.Max(1, Environment.ProcessorCount / 2);
        var start = Stopwatch.GetTimestamp();
        HnswIndex Build() => HnswIndex.Build(rows, dimension, new HnswSettings { Threads = threads });
        var built = threads == 1 ? QuietThread.Run(Build) : Build();
        var how = string.Create(CultureInfo.InvariantCulture, $", built in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.#} s");
        if (files is null)
        {
            return (built, how);
        }

        return files.Save(built) is { } problem
            ? (built, $"{how} and not saved: {problem}")
            : (HnswIndex.Open(files.Beside), $"{how} and saved as {files.Beside}");
    }

    private (IItemIndex Index, IndexInfo Info) Measured(IItemIndex index, string why) =>
        (index, IndexInfo.Of(index, why) with { Timings = [BackendTrial.Measure(index, options)] });
}
