namespace Nearline.Model.Bundles;

/// <summary>Which bundles are served beside the active one, and to how many users.</summary>
/// <param name="Canary">The bundle that some users are served instead of the active one; null: none is.</param>
/// <param name="Experiments">Bundles by which some users get sets of their own beside the default ones, by name.</param>
public sealed record Rollout(CanaryRelease? Canary, IReadOnlyList<Experiment> Experiments)
{
    /// <summary>The most experiments at once: each may keep one more model and its index in memory.</summary>
    public const int MaxExperiments = 3;

    /// <summary>Everybody is served the active bundle and nothing else.</summary>
    public static Rollout None { get; } = new(null, []);
}

/// <summary>A bundle that is tried on some users before it becomes the active one.</summary>
/// <param name="Version">The bundle.</param>
/// <param name="Percent">Of the users, more than 0 to 100 in steps of 0.01.</param>
public sealed record CanaryRelease(string Version, double Percent);

/// <summary>A named experiment: its users get sets of its bundle beside the default ones.</summary>
/// <param name="Name">1 to 64 small letters, digits, '-' and '_'.</param>
/// <param name="Version">The bundle.</param>
/// <param name="Percent">Of the users, more than 0 to 100 in steps of 0.01.</param>
public sealed record Experiment(string Name, string Version, double Percent);
