namespace Nearline.Model.Index;

/// <summary>
/// Thresholds that are guessed from a sample: how many of the best rows it should have, and whether guessing pays. A
/// guess that proves too high costs a second search, never a row.
/// </summary>
internal sealed class Guesses
{
    private const int Enough = 64;
    private const int Reciprocal = 16;

    private int made;
    private int wrong;

    /// <summary>Guesses made, and those of them that were too high.</summary>
    public (int Made, int Wrong) Counts => (Volatile.Read(ref made), Volatile.Read(ref wrong));

    /// <summary>Not where rows lie in an order that makes samples mislead.</summary>
    public bool AreWorthwhile
    {
        get
        {
            var (all, failed) = Counts;
            return all < Enough || failed < all / Reciprocal;
        }
    }

    /// <summary>
    /// How many of the best rows a part of all rows has at most, but once in many thousand times if rows are in no order.
    /// </summary>
    /// <param name="wanted">The best rows of all.</param>
    /// <param name="part">Of all rows, up to 1.</param>
    public static int Rank(int wanted, double part)
    {
        var expected = wanted * part;
        return part >= 1 ? wanted : (int)Math.Min(wanted, Math.Ceiling(expected + (4 * Math.Sqrt(expected * (1 - part))) + 4));
    }

    /// <summary>Counts one.</summary>
    public void Add(bool isProven)
    {
        Interlocked.Increment(ref made);
        if (!isProven)
        {
            Interlocked.Increment(ref wrong);
        }
    }
}
