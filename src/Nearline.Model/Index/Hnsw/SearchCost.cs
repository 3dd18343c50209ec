namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// What walking through the graph costs against scoring all rows that are allowed, in rows that are read one after the
/// other by a batch of queries. Estimates, but always the same: what a search finds does not depend on clocks.
/// </summary>
internal sealed record SearchCost
{
    // A walk under a mask may turn out longer than was thought.
    private const double Patience = 1.5;

    // Neighbours of a step that were not seen before, as a share of those there are.
    private const double NewNeighbours = 0.4;

    // Steps to where the best rows are.
    private const double StepsOfApproach = 30;

    /// <summary>Of scoring a row of a sparse mask, which is read alone.</summary>
    public double RowOfMask { get; init; } = 6;

    /// <summary>Of scoring a row that a walk comes to, with all that a step takes.</summary>
    public double RowOfWalk { get; init; } = 32;

    /// <summary>Whether a walk is cheaper.</summary>
    public bool IsWalkCheaper(HnswGraph graph, int allowed, int breadth)
    {
        // A walk goes on until it has been to as many rows as it keeps that are allowed.
        var steps = StepsOfApproach + ((double)breadth * graph.Count / allowed);
        return allowed > 0 && steps * NewNeighbours * 2 * graph.Links * RowOfWalk < Scan(graph, allowed);
    }

    /// <summary>Rows that a walk may score before it gives up, and all that are allowed are scored instead.</summary>
    public long MostScored(HnswGraph graph, int allowed) => (long)(Patience * Scan(graph, allowed) / RowOfWalk);

    private double Scan(HnswGraph graph, int allowed) => Math.Min(allowed * RowOfMask, graph.Count);
}
