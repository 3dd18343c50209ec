using System.Numerics;

namespace Nearline.Model.Graph;

/// <summary>The shape of a <see cref="Metagraph"/>.</summary>
/// <param name="Shows">Shows.</param>
/// <param name="Kinds">The meta nodes and edges, by kind.</param>
/// <param name="IsolatedShows">
/// Shows that share no tag, person, director or brand with another: only category, era and vectors say something of them.
/// </param>
/// <param name="ShowDegrees">How many shows have how many edges; powers of two.</param>
/// <param name="NodeDegrees">How many meta nodes of names, those of tag to era, have how many edges.</param>
public sealed record MetagraphReport(
    int Shows,
    IReadOnlyList<MetaNodeCount> Kinds,
    int IsolatedShows,
    IReadOnlyList<DegreeCount> ShowDegrees,
    IReadOnlyList<DegreeCount> NodeDegrees)
{
    /// <summary>Meta nodes of all kinds.</summary>
    public int MetaNodes => Kinds.Sum(k => k.Nodes);

    /// <summary>Edges of all kinds.</summary>
    public int Edges => Kinds.Sum(k => k.Edges);

    /// <summary>Counts.</summary>
    public static MetagraphReport Of(Metagraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var bridges = new[] { MetaNodeKind.Tag, MetaNodeKind.Cast, MetaNodeKind.Director, MetaNodeKind.Brand };
        return new MetagraphReport(
            graph.Shows.Count,
            [
                .. graph.Kinds.Select(k => new MetaNodeCount(
                    k.Kind, k.Names.Count, k.OfShows.Edges, Degrees(k.Shows).Count(d => d == 1), Degrees(k.Shows).DefaultIfEmpty().Max())),
            ],
            Enumerable.Range(0, graph.Shows.Count).Count(show => bridges.All(kind => !IsShared(graph.Of(kind), show))),
            Histogram(Enumerable.Range(0, graph.Shows.Count).Select(graph.Neighbours.Degree)),
            Histogram(Graph.MetaNodes.Learned.SelectMany(kind => Degrees(graph.Of(kind).Shows))));
    }

    private static IEnumerable<int> Degrees(Adjacency rows) => Enumerable.Range(0, rows.Rows).Select(rows.Degree);

    private static bool IsShared(MetaNodes kind, int show)
    {
        foreach (var node in kind.OfShows[show])
        {
            if (kind.Shows.Degree(node) > 1)
            {
                return true;
            }
        }

        return false;
    }

    private static DegreeCount[] Histogram(IEnumerable<int> degrees) =>
    [
        .. degrees.GroupBy(d => d == 0 ? 0 : 1 << BitOperations.Log2((uint)d)).OrderBy(g => g.Key)
            .Select(g => new DegreeCount(g.Key, g.Key == 0 ? 0 : (2 * g.Key) - 1, g.Count())),
    ];
}

/// <summary>The meta nodes of a kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Nodes">How many.</param>
/// <param name="Edges">Edges between them and shows.</param>
/// <param name="OfOneShow">Those of degree 1, which join no shows.</param>
/// <param name="Largest">The highest degree.</param>
public sealed record MetaNodeCount(MetaNodeKind Kind, int Nodes, int Edges, int OfOneShow, int Largest);

/// <summary>A bar of a degree histogram.</summary>
/// <param name="From">The lowest degree: 0 or a power of two.</param>
/// <param name="To">The highest.</param>
/// <param name="Nodes">Nodes.</param>
public sealed record DegreeCount(int From, int To, int Nodes);
