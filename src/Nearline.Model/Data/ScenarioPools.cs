namespace Nearline.Model.Data;

/// <summary>Which shows a scenario recommends.</summary>
public static class ScenarioPools
{
    /// <summary>Whether the show is in the scenario's candidate pool.</summary>
    public static bool Admits(this Scenario scenario, Show show)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(show);
        return scenario.PoolCategories.Count == 0 || scenario.PoolCategories.Contains(show.Category);
    }
}
