namespace Nearline.Cli.Demo;

/// <summary>What the demo runs on and how much of it.</summary>
internal sealed record DemoOptions
{
    /// <summary>A directory with data; null: choose (see <see cref="DemoData"/>).</summary>
    public string? Data { get; init; }

    /// <summary>Which data set of a directory with several.</summary>
    public string? Dataset { get; init; }

    /// <summary>Where the bundle is written; the demo replaces what it left there before.</summary>
    public string Directory { get; init; } = "runs/demo";

    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Passes over the data; null: the preset's.</summary>
    public int? Epochs { get; init; }

    /// <summary>Users whose set is shown before and after an event.</summary>
    public int Shown { get; init; } = 3;

    /// <summary>Events, one at a time, that the latency figures are taken over.</summary>
    public int Probes { get; init; } = 300;
}
