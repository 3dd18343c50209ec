using System.Globalization;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Bench.Gpu;

/// <summary>Whether a device serves the sets that the CPU serves, and gives back what it takes.</summary>
internal sealed class TowerChecks(string deviceName, string models, int seed, int batches)
{
    private const int Limit = 100;

    /// <summary>Scores of one set may differ by this share of its highest.</summary>
    private const double Tolerance = 1e-4;

    private readonly Dictionary<M5Config, string> bundles = [];
    private readonly World world = new(new SimulationOptions { Shows = 500, Users = 240, Days = 14, Seed = (ulong)seed });

    public void RunAll(Checks checks)
    {
        foreach (var config in Shapes())
        {
            checks.Run($"sets, {config.Name} {config.Variant}", () => SameSets(config));
        }

        checks.Run("sets, bfloat16", Rounded);
        checks.Run("sets, shows newer than the model", NewShows);
        checks.Run($"memory, {batches} batches", Memory);
    }

    /// <summary>Every variant of the small preset, and the other presets.</summary>
    public static IEnumerable<M5Config> Shapes() =>
    [
        .. M5Variants.All.Select(v => v.Of(M5Config.Small)),
        .. M5Config.Presets.Where(p => p != M5Config.Small),
    ];

    /// <summary>A bundle of a model whose weights are all random: fresh ones have layers of zeros that would hide what comes before.</summary>
    public string Bundle(M5Config config)
    {
        if (bundles.TryGetValue(config, out var path))
        {
            return path;
        }

        using var model = TrainedModel.Fresh(world.Dataset, config, null, seed, world.Dataset.Fingerprint(), CPU);
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            foreach (var (_, parameter) in model.Network.named_parameters())
            {
                parameter.add_(randn_like(parameter) * 0.03);
            }
        }

        return bundles[config] = M5Bundle.Write(model, models, version: $"{config.Name}-{config.Variant}").Path;
    }

    private string SameSets(M5Config config)
    {
        var path = Bundle(config);
        using var onCpu = M5Retriever.Load(path, "cpu", backend: new BackendOptions { Backend = IndexBackends.ExactCpu });
        using var onDevice = M5Retriever.Load(path, deviceName, backend: new BackendOptions { Backend = IndexBackends.ExactTorch });
        return Compare(onCpu, onDevice, world.Requests(seed));
    }

    /// <summary>In bfloat16 a device need only be as close to float32 as the CPU is.</summary>
    private string Rounded()
    {
        var path = Bundle(M5Config.Paper);
        var index = new BackendOptions { Backend = IndexBackends.ExactCpu };
        using var exact = M5Retriever.Load(path, "cpu", backend: index);
        using var onCpu = M5Retriever.Load(path, "cpu", backend: index, precision: ServingPrecision.BFloat16);
        using var onDevice = M5Retriever.Load(path, deviceName, backend: index, precision: ServingPrecision.BFloat16);
        var requests = world.Requests(seed);
        double Shared(M5Retriever retriever) => requests.Chunk(64)
            .SelectMany(batch => exact.Retrieve(batch, Limit).Users.Zip(retriever.Retrieve(batch, Limit).Users))
            .SelectMany(user => user.First.Zip(user.Second))
            .Where(pair => pair.First.Shows.Count > 0)
            .Average(pair => pair.First.Shows.Select(s => s.ShowId).Intersect(pair.Second.Shows.Select(s => s.ShowId)).Count() / (double)pair.First.Shows.Count);
        var (here, there) = (Shared(onCpu), Shared(onDevice));
        Checks.That(there >= here - 0.01, $"{there} of the shows are float32's; on the CPU {here}");
        return string.Create(CultureInfo.InvariantCulture, $"{there:0.000} of the shows are float32's, on the CPU {here:0.000}");
    }

    private string NewShows()
    {
        var path = Bundle(M5Config.Small);
        using var onCpu = M5Retriever.Load(path, "cpu", backend: new BackendOptions { Backend = IndexBackends.ExactCpu });
        using var onDevice = M5Retriever.Load(path, deviceName, backend: new BackendOptions { Backend = IndexBackends.ExactTorch });
        Show[] late = [.. world.Dataset.Shows.Take(20).Select(s => s with { Id = "late-" + s.Id, AvailableFrom = null, AvailableUntil = null })];
        CatalogChange[] changes = [.. late.Select(s => new CatalogChange(s.Id, s)), new(world.Dataset.Shows[30].Id, null)];
        var (one, other) = (onCpu.Apply(changes), onDevice.Apply(changes));
        Checks.That(one.Added == late.Length && other.Added == late.Length, $"{one.Added} and {other.Added} of {late.Length} new shows can be found");
        var requests = world.Requests(seed + 1);
        foreach (var (request, i) in requests.Select((r, i) => (r, i)).Where(r => r.i % 2 == 0))
        {
            request.History.Apply(new UserAction(ActionKind.Watch, request.Now) { ShowId = late[i % late.Length].Id });
        }

        return Compare(onCpu, onDevice, requests);
    }

    private static string Compare(M5Retriever onCpu, M5Retriever onDevice, IReadOnlyList<RetrievalRequest> requests)
    {
        var (sets, same, reordered, worst) = (0, 0, 0, 0.0);
        foreach (var size in new[] { 1, 7, 64 })
        {
            foreach (var batch in requests.Take(size == 1 ? 20 : int.MaxValue).Chunk(size))
            {
                var (expected, found) = (onCpu.Retrieve(batch, Limit).Users, onDevice.Retrieve(batch, Limit).Users);
                for (var user = 0; user < batch.Length; user++)
                {
                    Checks.That(
                        expected[user].Select(s => s.Scenario).SequenceEqual(found[user].Select(s => s.Scenario)), $"user {batch[user].UserId}: other scenarios");
                    foreach (var (one, other) in expected[user].Zip(found[user]))
                    {
                        worst = Math.Max(worst, Difference(one, other, batch[user].UserId));
                        sets++;
                        var isSame = one.Shows.Select(s => s.ShowId).SequenceEqual(other.Shows.Select(s => s.ShowId));
                        same += isSame ? 1 : 0;
                        reordered += !isSame && one.Shows.Select(s => s.ShowId).ToHashSet().SetEquals(other.Shows.Select(s => s.ShowId)) ? 1 : 0;
                    }
                }
            }
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sets} sets, {same} of the same shows in the same order, {reordered} in another, {sets - same - reordered} with another show of equal score; scores differ by at most {worst:0.0e+0} of the highest");
    }

    /// <summary>The largest difference of two sets' scores, as a share of the highest.</summary>
    private static double Difference(ScenarioCandidates one, ScenarioCandidates other, string user)
    {
        Checks.That(one.Shows.Count == other.Shows.Count, $"user {user}, {one.Scenario}: {other.Shows.Count} shows, not {one.Shows.Count}");
        if (one.Shows.Count == 0)
        {
            return 0;
        }

        var highest = one.Shows.Max(s => Math.Abs(s.Score));
        var scores = other.Shows.ToDictionary(s => s.ShowId, s => s, StringComparer.Ordinal);
        var worst = 0.0;
        for (var i = 0; i < one.Shows.Count; i++)
        {
            // A show that only one of them has must be as good as the other's last.
            var (mine, theirs) = (one.Shows[i], other.Shows[i]);
            var twin = scores.TryGetValue(mine.ShowId, out var found) ? found : other.Shows[^1];
            var difference = Math.Max(Math.Abs(mine.Score - theirs.Score), Math.Abs(mine.Score - twin.Score)) / (double)highest;
            if (twin.ShowId == mine.ShowId)
            {
                difference = Math.Max(difference, Math.Abs(mine.IdScore - twin.IdScore) / (double)highest);
            }

            worst = Math.Max(worst, difference);
            Checks.That(difference <= Tolerance, $"user {user}, {one.Scenario}, place {i}: {mine} and {theirs}");
        }

        return worst;
    }

    /// <summary>Batches of all sizes leave no tensor behind, and the device's memory stays as it is.</summary>
    private string Memory()
    {
        var requests = world.Requests();
        var random = new Random(seed);
        using var retriever = M5Retriever.Load(Bundle(M5Config.Small), deviceName, backend: new BackendOptions { Backend = IndexBackends.ExactTorch });
        void Serve(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var size = random.Next(1, 65);
                retriever.Retrieve([.. Enumerable.Range(0, size).Select(_ => requests[random.Next(requests.Count)])], Limit);
            }
        }

        Serve(batches / 4);
        var (tensors, used) = (Tensors(), GpuDevice.UsedBytes(Devices.Of(deviceName)));
        Serve(batches);
        var (moreTensors, moreUsed) = (Tensors() - tensors, GpuDevice.UsedBytes(Devices.Of(deviceName)) - used);
        Checks.That(moreTensors == 0, $"{moreTensors} tensors were left behind");
        Checks.That(moreUsed < 32 << 20, $"device memory grew by {moreUsed / 1e6} MB");
        return string.Create(CultureInfo.InvariantCulture, $"no tensor left behind, device memory grew by {moreUsed / 1e6:0.0} MB from {used / 1e6:0} MB");
    }

    private static long Tensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }
}
