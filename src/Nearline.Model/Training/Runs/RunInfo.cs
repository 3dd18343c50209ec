namespace Nearline.Model.Training.Runs;

/// <summary>What a run folder's run.json says.</summary>
public sealed record RunInfo
{
    /// <summary>When the run began, UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The model's shape.</summary>
    public required M5Config Config { get; init; }

    /// <summary>How it is trained, with the seed.</summary>
    public required TrainingOptions Training { get; init; }

    /// <summary>What else it was told, so that it can be resumed without saying it again.</summary>
    public required RunSetting Setting { get; init; }

    /// <summary>The fingerprint of the training part, as the bundle will have it.</summary>
    public required string DataFingerprint { get; init; }

    /// <summary>The fingerprint of all of the data, held-out watches included.</summary>
    public required string DatasetFingerprint { get; init; }

    /// <summary>The device that the run began on: cpu or cuda.</summary>
    public required string Device { get; init; }

    /// <summary>CPU threads of torch.</summary>
    public required int Threads { get; init; }

    /// <summary>Of the programs, by name.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>What came out; null until the run is over.</summary>
    public RunResult? Result { get; init; }
}

/// <summary>What a run was told beside the model's shape and its training.</summary>
/// <param name="Data">The directory of the data.</param>
/// <param name="Dataset">Which data set, where the directory holds several.</param>
/// <param name="Protocol">How the data was split.</param>
/// <param name="Models">The directory that the bundle goes to.</param>
/// <param name="Activate">Whether the bundle becomes the active one.</param>
/// <param name="WarmStart">The bundle whose weights it began with, or null.</param>
/// <param name="Graph">The folder of the content graph that its CG embeddings began with, or null.</param>
/// <param name="GraphFingerprint">That graph's fingerprint.</param>
public sealed record RunSetting(
    string Data,
    string? Dataset,
    string Protocol,
    string Models,
    bool Activate,
    string? WarmStart = null,
    string? Graph = null,
    string? GraphFingerprint = null);

/// <summary>What came out of a run.</summary>
/// <param name="FinishedAt">When, UTC.</param>
/// <param name="Bundle">The bundle that was written.</param>
/// <param name="Epochs">Epochs trained; fewer than planned where training ended early.</param>
/// <param name="BestEpoch">The epoch whose weights were kept.</param>
/// <param name="TrainingSeconds">Time spent in training and validation, over all parts of an interrupted run.</param>
/// <param name="Metrics">Figures by name, on validation and test targets.</param>
public sealed record RunResult(
    DateTimeOffset FinishedAt,
    string Bundle,
    int Epochs,
    int BestEpoch,
    double TrainingSeconds,
    IReadOnlyDictionary<string, double> Metrics);
