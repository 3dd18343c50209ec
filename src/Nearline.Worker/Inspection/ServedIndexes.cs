using Nearline.Contracts.Admin.V1;
using Nearline.Model.Serving;
using Nearline.Worker.Models;

namespace Nearline.Worker.Inspection;

/// <summary>The models in use and their indexes, for operators.</summary>
internal static class ServedIndexes
{
    /// <param name="set">The models.</param>
    /// <param name="catalogOf">How the catalog stands beside a model's; null: as it was trained with.</param>
    public static IEnumerable<ServedIndex> Of(ModelSet set, Func<IServingRetriever, CatalogState?> catalogOf)
    {
        foreach (var model in set.All)
        {
            var (index, catalog) = (model.Index, catalogOf(model));
            yield return new ServedIndex
            {
                ModelVersion = model.ModelVersion,
                Roles = { Roles(set.Plan, model.ModelVersion) },
                Backend = index.Backend,
                Reason = index.Why,
                Timings = { index.Timings.Select(t => new BackendTiming { Backend = t.Backend, MillisecondsPerQuery = t.Milliseconds }) },
                ItemCount = index.Rows,
                Dimension = index.Dimension,
                MemoryBytes = index.MemoryBytes,
                Device = model.Device,
                AddedCount = catalog?.Added ?? 0,
                RemovedCount = catalog?.Removed ?? 0,
                UnreachableCount = catalog?.Unreachable.Count ?? 0,
                Scenarios = { model.Scenarios },
                Summary = index.ToString(),
            };
        }
    }

    private static IEnumerable<ModelRole> Roles(ServingPlan plan, string version)
    {
        if (version == plan.Active)
        {
            yield return new ModelRole { Name = "active", Percent = 100 };
        }

        if (plan.Rollout.Canary is { } canary && canary.Version == version)
        {
            yield return new ModelRole { Name = "canary", Percent = canary.Percent };
        }

        foreach (var experiment in plan.Rollout.Experiments.Where(e => e.Version == version))
        {
            yield return new ModelRole { Name = experiment.Name, Percent = experiment.Percent };
        }
    }
}
