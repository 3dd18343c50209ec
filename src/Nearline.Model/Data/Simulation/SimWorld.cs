namespace Nearline.Model.Data.Simulation;

/// <summary>All that is the same for every user.</summary>
internal sealed class SimWorld
{
    public const int Categories = 3;
    public const int Series = 0;
    public const int Movie = 1;
    public const int Live = 2;

    public required SimulationOptions Options { get; init; }

    /// <summary>How many of <see cref="Theme.All"/> there are.</summary>
    public required int ThemeCount { get; init; }

    public required SimShow[] Shows { get; init; }

    /// <summary>[category][theme]: the shows of the theme.</summary>
    public required SimShow[][][] ByTheme { get; init; }

    /// <summary>By day, in the order of their start.</summary>
    public required Broadcast[][] Broadcasts { get; init; }

    /// <summary>[theme], for Local and Global: what the place where people are draws them to.</summary>
    public required double[] LocalTilt { get; init; }

    public required double[] GlobalTilt { get; init; }
}
