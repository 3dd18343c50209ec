namespace Nearline.Cli.Comparing;

/// <summary>What all runs of a comparison share.</summary>
internal sealed record ComparisonSettings
{
    /// <summary>The directory of the data.</summary>
    public required string Data { get; init; }

    /// <summary>Which data set of it; null: the only one.</summary>
    public string? Dataset { get; init; }

    /// <summary>How the data is split.</summary>
    public required string Protocol { get; init; }

    /// <summary>Whether sets with watched shows in them are measured too.</summary>
    public bool UnfilteredToo { get; init; }

    /// <summary>The content graph that entries with Graph=true start from; null: there is none.</summary>
    public GraphSource? Graph { get; init; }

    /// <summary>CPU threads of a run.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>A content graph that <c>nearline graph</c> wrote.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Fingerprint">Of its weights and embeddings.</param>
internal sealed record GraphSource(string Folder, string Fingerprint);
