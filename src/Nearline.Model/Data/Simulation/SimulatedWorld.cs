using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Simulation;

/// <summary>
/// A streaming service that never was, in the likeness of the paper's Dataset-H (section 5.1.1): three categories,
/// multi-modal metadata, four scenarios by subscription and sample type. docs/simulation.md tells how it works.
/// </summary>
public static class SimulatedWorld
{
    private static readonly Scenario[] Scenarios =
    [
        new("vod-local") { Description = "VOD subscribers, in the personal set", PoolCategories = [ShowCategory.Series, ShowCategory.Movie] },
        new("live-local") { Description = "Live subscribers, in the personal set" },
        new("vod-global") { Description = "VOD subscribers, anywhere else", PoolCategories = [ShowCategory.Series, ShowCategory.Movie] },
        new("live-global") { Description = "Live subscribers, anywhere else" },
    ];

    /// <summary>Makes a world: the same dataset for the same options on every machine.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; it is named.</exception>
    public static Dataset Generate(SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new SimulationOptions();
        options.Validate();
        var world = CatalogBuilder.Build(options);
        var population = new Population(world);
        var logs = new UserLog[options.Users];

        // Users do not touch each other, so any number of threads gives the same result.
        Parallel.For(
            0,
            options.Users,
            new ParallelOptions { CancellationToken = cancellationToken },
            index => logs[index] = UserSimulation.Run(world, population.NewUser(index)));
        return new Dataset([.. world.Shows.Select(s => s.Show)], Scenarios, logs);
    }
}
