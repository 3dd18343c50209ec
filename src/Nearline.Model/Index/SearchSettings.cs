namespace Nearline.Model.Index;

/// <summary>How a search is done; no setting changes what it finds.</summary>
internal sealed record SearchSettings
{
    /// <summary>Threads at most, the caller's among them.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Threads that build, the caller's among them; null: as many as search.</summary>
    public int? BuildThreads { get; init; }

    /// <summary>The first pass's kernel; null: no first pass, all rows are scored in fp32.</summary>
    public Int8Kernel? Kernel { get; init; } = Int8Kernel.Supported[0];

    /// <summary>Products of int8 that are worth waking another thread.</summary>
    public long WorkForThread { get; init; } = 1 << 21;

    /// <summary>Rows of a strip at least: what a thread takes at a time where rows are split, and what a first threshold is guessed from.</summary>
    public int RowsOfStrip { get; init; } = 2048;

    /// <summary>Strips at most, for each thread where rows are split.</summary>
    public int Strips { get; init; } = 8;

    /// <summary>How many times the rows that are wanted must be allowed for thresholds to be guessed.</summary>
    public int GuessFrom { get; init; } = 16;

    /// <summary>Of the 64 rows of a mask's word, how many must be allowed for all to be bounded together.</summary>
    public int DenseRows { get; init; } = 32;
}
