using System.Globalization;

namespace Nearline.Model.Index;

/// <summary>What a backend costs here.</summary>
/// <param name="Backend">Its name.</param>
/// <param name="Milliseconds">A query, on the wall: the fastest round of batches over the real rows, without masks.</param>
public sealed record BackendTiming(string Backend, double Milliseconds);

/// <summary>The index that a model is served with, for those who operate it.</summary>
/// <param name="Backend">Which backend.</param>
/// <param name="Rows">Shows of the model.</param>
/// <param name="Dimension">Width of a row, ID and CG parts together.</param>
/// <param name="MemoryBytes">What the index holds, on every device together.</param>
/// <param name="Timings">What was tried, the backend in use first; empty: nothing was.</param>
/// <param name="Why">Why this backend.</param>
public sealed record IndexInfo(
    string Backend, int Rows, int Dimension, long MemoryBytes, IReadOnlyList<BackendTiming> Timings, string Why)
{
    /// <summary>A line for the log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Backend}, {Rows:N0} rows x {Dimension}, {MemoryBytes / 1e6:N1} MB ({Ratio:0.##} times the plain fp32 rows), {Measured}; {Why}");

    private double Ratio => Rows == 0 ? 0 : MemoryBytes / (4.0 * Rows * Dimension);

    private string Measured => Timings.Count == 0
        ? "not measured"
        : string.Join(", ", Timings.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Backend} {t.Milliseconds:0.###} ms a query")));

    /// <summary>Of an index that nobody chose.</summary>
    internal static IndexInfo Of(IItemIndex index, string why) =>
        new(index.Backend, index.Count, index.Dimension, index.MemoryBytes, [], why);
}
