using Nearline.Model;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Serving;

namespace Nearline.Bench.Gpu;

/// <summary>A served model of a simulated world, its weights random, and the world's users at their end.</summary>
internal sealed class RetrievalSide : IDisposable
{
    private const int Limit = 300;

    private readonly string models = Directory.CreateTempSubdirectory("nearline-retrieval-").FullName;
    private readonly M5Retriever retriever;
    private readonly IReadOnlyList<RetrievalRequest> requests;

    public RetrievalSide(string device, string config, int shows, int users, int threads)
    {
        var world = new World(new SimulationOptions { Shows = shows, Users = users });
        requests = world.Requests();
        var bundle = M5Bundle.WriteUntrained(world.Dataset, M5Config.ByName(config), models);
        retriever = M5Retriever.Load(bundle, device, threads);
    }

    public object Describe() => new { Scenarios = retriever.Scenarios.Count, Index = retriever.Index.ToString() };

    public object Round(int batch)
    {
        var (tower, index) = (TimeSpan.Zero, TimeSpan.Zero);
        var measured = Measured.Of(() =>
        {
            foreach (var some in requests.Chunk(batch))
            {
                var sets = retriever.Retrieve(some, Limit);
                (tower, index) = (tower + sets.TowerTime, index + sets.IndexTime);
            }
        });
        var batches = (requests.Count + batch - 1) / batch;
        return new
        {
            Users = requests.Count,
            measured.Seconds,
            measured.CpuSeconds,
            TowerMs = tower.TotalMilliseconds / batches,
            IndexMs = index.TotalMilliseconds / batches,
        };
    }

    public void Dispose()
    {
        retriever.Dispose();
        Directory.Delete(models, recursive: true);
    }
}
