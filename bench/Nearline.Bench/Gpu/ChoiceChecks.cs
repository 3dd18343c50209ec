using Nearline.Model;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Bench.Gpu;

/// <summary>Whether what is left to choose is chosen well on a machine with a device.</summary>
internal sealed class ChoiceChecks(string deviceName, TowerChecks tower)
{
    public void RunAll(Checks checks)
    {
        checks.Run("auto device", () =>
        {
            var chosen = Devices.Of("auto").type;
            Checks.That(chosen == Devices.Of(deviceName).type, $"it is {chosen}");
            return $"{chosen}";
        });
        checks.Run("auto index, a small catalog", () =>
        {
            using var retriever = M5Retriever.Load(tower.Bundle(M5Config.Small), deviceName);
            return Tried(retriever.Index);
        });
        foreach (var (count, dimension) in new[] { (70_000, 256), (300_000, 256) })
        {
            checks.Run($"auto index, {count} x {dimension}", () =>
            {
                var random = new Random(1);
                var rows = new float[count * dimension];
                foreach (ref var value in rows.AsSpan())
                {
                    value = random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f;
                }

                var (index, info) = IndexChoice.Build(rows, dimension, Devices.Of(deviceName), new BackendOptions());
                index.Dispose();
                return Tried(info);
            });
        }
    }

    /// <summary>Both exact backends must have been tried where there is a device, and the faster taken.</summary>
    private string Tried(IndexInfo info)
    {
        var isGpu = Devices.Of(deviceName).type == DeviceType.CUDA;
        Checks.That(info.Timings.Count == (isGpu ? 2 : 1), $"{info}");
        return $"{info}";
    }
}
