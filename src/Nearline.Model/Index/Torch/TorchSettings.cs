namespace Nearline.Model.Index;

/// <summary>How much a search on a device does at once; no setting changes what it finds.</summary>
internal sealed record TorchSettings
{
    /// <summary>Rows of a tile, a multiple of 64.</summary>
    public int TileRows { get; init; } = 1 << 17;

    /// <summary>Bytes that the scores of a tile may take: they say how many queries are searched together.</summary>
    public long ScoreBytes { get; init; } = 64 << 20;

    /// <summary>Candidates a query beyond the limit: where scores lie close, they spare a second pass.</summary>
    public int Spare { get; init; } = 64;

    /// <summary>Queries that are allowed no more rows than this, or than twice the limit, are not worth a device's while.</summary>
    public int FewRows { get; init; } = 1024;

    /// <summary>Threads of the host that score what a device proposes, the caller's among them.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>From so many queries on they share the work: fewer are scored before others would have come.</summary>
    public int SharedFrom { get; init; } = 3;

    /// <summary>Queries that are searched together.</summary>
    public int TileQueries => (int)Math.Clamp(ScoreBytes / (sizeof(float) * (long)TileRows), 1, 1024);
}
