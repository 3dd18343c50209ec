using Nearline.Model.Behaviours;

namespace Nearline.Model.Data;

/// <summary>A scenario of the service: a subscription, a region, a row; the model serves all of them.</summary>
/// <param name="Id">Its name in requests and keys: letters, digits, '-', '_' and '.', at most 64.</param>
public sealed record Scenario(string Id)
{
    /// <summary>What people read.</summary>
    public string Description { get; init; } = "";

    /// <summary>The categories in the scenario's candidate pool; empty: all.</summary>
    public IReadOnlyList<ShowCategory> PoolCategories { get; init; } = [];
}
