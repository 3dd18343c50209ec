using System.Globalization;
using Nearline.Model;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Bench.Gpu;

/// <summary>Whether training on a device goes as it does on the CPU, and what it leaves can be served by either.</summary>
/// <remarks>Dropout is off: devices draw it from generators of their own. All else is drawn on the host.</remarks>
internal sealed class TrainingChecks(string deviceName, string models, int seed)
{
    private const int Epochs = 2;

    /// <summary>Sums in another order, which Adam's division by the gradient's own size makes more of with every step.</summary>
    private const double LossTolerance = 0.01;

    private readonly Split split = Splits.LeaveOneOut(new World(new SimulationOptions { Shows = 300, Users = 200, Days = 14, Seed = (ulong)seed }).Dataset);

    public void RunAll(Checks checks)
    {
        foreach (var config in TowerChecks.Shapes())
        {
            checks.Run($"training, {config.Name} {config.Variant}", () => Same(config));
        }

        checks.Run("training, drawn negatives", () => Same(M5Config.Small, o => o with { SoftmaxNegatives = 100, WeightAverage = 0.9, CoWatchStart = 0.5, CgLoss = 0.2 }));
        checks.Run("content graph", Graph);
    }

    private string Same(M5Config shape, Func<TrainingOptions, TrainingOptions>? change = null)
    {
        var config = shape with { InputDropout = 0, EncoderDropout = 0 };
        var options = M5Variants.ByName(config.Variant).Of(TrainingOptions.ByName(config.Name)) with
        {
            Epochs = Epochs,
            Seed = seed,
            BatchSize = 256,
            SamplesPerUser = 4,
            EvaluateEvery = Epochs,
        };
        options = change?.Invoke(options) ?? options;
        using var onCpu = Trainer.Train(split, config, options with { Device = "cpu" });
        using var onDevice = Trainer.Train(split, config, options with { Device = deviceName });
        var device = Devices.Of(deviceName).type;
        foreach (var (name, parameter) in onDevice.Network.named_parameters())
        {
            Checks.That(parameter.device_type == device, $"{name} is on {parameter.device}");
        }

        foreach (var (name, buffer) in onDevice.Network.named_buffers())
        {
            Checks.That(buffer.device_type == device, $"{name} is on {buffer.device}");
        }

        var worst = 0.0;
        foreach (var (one, other) in onCpu.Epochs.Zip(onDevice.Epochs))
        {
            worst = Math.Max(worst, Math.Abs(one.Loss - other.Loss) / one.Loss);
            Checks.That(worst <= LossTolerance, $"epoch {one.Epoch}: a loss of {other.Loss}; on the CPU {one.Loss}");
        }

        var path = M5Bundle.Write(onDevice, models, version: $"trained-{config.Name}-{config.Variant}{(change is null ? "" : "-changed")}").Path;
        var (here, there) = (Evaluate(path, "cpu"), Evaluate(path, deviceName));
        Checks.That(
            Math.Abs(here.Hr20 - there.Hr20) <= 2.0 / here.Targets && Math.Abs(here.Hr100 - there.Hr100) <= 2.0 / here.Targets,
            $"its bundle has HR@20 {there.Hr20}, HR@100 {there.Hr100}; on the CPU {here.Hr20}, {here.Hr100}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"losses {string.Join(", ", onDevice.Epochs.Select(e => $"{e.Loss:0.0000}"))}, off by at most {worst:0.0e+0}; its bundle's HR@100 {there.Hr100:0.0000}, on the CPU {here.Hr100:0.0000}");
    }

    private ScenarioMetrics Evaluate(string path, string on)
    {
        using var retriever = M5Retriever.Load(path, on, backend: new BackendOptions { Backend = on == "cpu" ? IndexBackends.ExactCpu : IndexBackends.ExactTorch });
        return Evaluator.Evaluate(retriever, split.Dataset, split.Test).All;
    }

    private string Graph()
    {
        var options = new GraphOptions { Epochs = 3, Width = 32, Hidden = 32, Seed = seed };
        var graph = Metagraph.Of(split.Dataset.Shows);
        var losses = new Dictionary<string, List<double>>();
        foreach (var on in new[] { "cpu", deviceName + " " })
        {
            var said = losses[on] = [];
            using var trained = GraphTrainer.Train(graph, options with { Device = on.Trim() }, new Said<GraphProgress>(p => said.Add(p.Loss)));
            foreach (var value in trained.Embeddings.Span)
            {
                Checks.That(float.IsFinite(value), $"on {on}: an embedding has {value}");
            }

            Checks.That(trained.Embed(split.Dataset.Shows[0] with { Id = "new" }).Length == options.Width, $"on {on}: a new show is not embedded");
        }

        var (one, other) = (losses["cpu"][^1], losses[deviceName + " "][^1]);
        Checks.That(Math.Abs(one - other) <= 0.05 * one, $"the last loss is {other}; on the CPU {one}");
        return string.Create(CultureInfo.InvariantCulture, $"last loss {other:0.0000}, on the CPU {one:0.0000}");
    }

    /// <summary>Tells at once, on the thread that reports.</summary>
    private sealed class Said<T>(Action<T> told) : IProgress<T>
    {
        public void Report(T value) => told(value);
    }
}
