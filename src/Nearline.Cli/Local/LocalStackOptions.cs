namespace Nearline.Cli.Local;

/// <summary>What to run locally.</summary>
/// <param name="ModelsDirectory">Where the worker finds bundles.</param>
internal sealed record LocalStackOptions(string ModelsDirectory)
{
    /// <summary>Take the usual ports where they are free, so that clients find the services without being told.</summary>
    public bool PreferUsualPorts { get; init; }

    /// <summary>auto, cpu or cuda; the worker's device.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Partitions of the event topic.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Further environment of the worker, such as <c>Worker__SetSize</c>.</summary>
    public IReadOnlyDictionary<string, string> WorkerSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Receives the services' log lines; null: they are kept only for error messages.</summary>
    public Action<string>? Log { get; init; }
}
