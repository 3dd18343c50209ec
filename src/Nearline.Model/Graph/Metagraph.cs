using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>
/// The content metagraph (paper, section 4.2.1): shows, and nodes for what they have, each joined to the shows that have
/// it. Nobody's watches are in it.
/// </summary>
/// <remarks>
/// Over all kinds, nodes are numbered: shows first, in the order of the catalog, then the meta nodes in the order of
/// <see cref="MetaNodeKind"/>.
/// </remarks>
public sealed class Metagraph
{
    private Metagraph(IReadOnlyList<Show> shows, IReadOnlyList<MetaNodes> kinds, bool hashedText)
    {
        Shows = [.. shows.Select(s => s.Id)];
        Categories = [.. shows.Select(s => s.Category)];
        Kinds = kinds;
        HashedText = hashedText;
        Offsets = new int[kinds.Count + 1];
        Offsets[0] = shows.Count;
        for (var k = 0; k < kinds.Count; k++)
        {
            Offsets[k + 1] = Offsets[k] + kinds[k].Names.Count;
        }

        Neighbours = Merged();
    }

    /// <summary>The shows' ids.</summary>
    public IReadOnlyList<string> Shows { get; }

    /// <summary>The shows' categories.</summary>
    public IReadOnlyList<ShowCategory> Categories { get; }

    /// <summary>The meta nodes with their edges, by kind.</summary>
    public IReadOnlyList<MetaNodes> Kinds { get; }

    /// <summary>Whether the text nodes' vectors are hashed n-grams, since none were given.</summary>
    public bool HashedText { get; }

    /// <summary>Nodes of all kinds, shows included.</summary>
    public int Nodes => Offsets[^1];

    /// <summary>The number of each kind's first node; at the end the number of nodes.</summary>
    internal int[] Offsets { get; }

    /// <summary>All edges in both directions, by the nodes' numbers over all kinds.</summary>
    internal Adjacency Neighbours { get; }

    /// <summary>Builds the graph of a catalog.</summary>
    /// <param name="shows">The catalog.</param>
    /// <param name="text">Vectors of the shows' texts; null: hashed n-grams of title and description.</param>
    /// <param name="visual">Vectors of the shows' pictures; null: no visual nodes.</param>
    /// <exception cref="ArgumentException">A show is given twice, or no vector is a show's.</exception>
    public static Metagraph Of(IReadOnlyList<Show> shows, NodeVectors? text = null, NodeVectors? visual = null)
    {
        ArgumentNullException.ThrowIfNull(shows);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        if (shows.FirstOrDefault(s => !ids.Add(s.Id)) is { } twice)
        {
            throw new ArgumentException($"shows: '{twice.Id}': given twice", nameof(shows));
        }

        Check(nameof(text), text, ids);
        Check(nameof(visual), visual, ids);
        return new Metagraph(
            shows,
            [
                .. MetaNodes.Learned.Select(kind => MetaNodes.OfNames(kind, shows)),
                MetaNodes.OfVectors(MetaNodeKind.Text, shows, text ?? HashedNGrams.Of(shows)),
                MetaNodes.OfVectors(MetaNodeKind.Visual, shows, visual),
            ],
            text is null);
    }

    /// <summary>The nodes of a kind.</summary>
    public MetaNodes Of(MetaNodeKind kind) => Kinds[(int)kind];

    private static void Check(string name, NodeVectors? vectors, HashSet<string> ids)
    {
        if (vectors is not null && !vectors.Ids.Any(ids.Contains))
        {
            throw new ArgumentException(
                $"{name}: none of its {vectors.Ids.Count} ids is a show of the catalog; " +
                $"it begins with '{vectors.Ids.FirstOrDefault()}', the catalog with '{ids.FirstOrDefault()}'",
                name);
        }
    }

    private Adjacency Merged()
    {
        var rows = new List<int>[Nodes];
        for (var show = 0; show < Shows.Count; show++)
        {
            rows[show] = [];
            foreach (var kind in Kinds)
            {
                foreach (var node in kind.OfShows[show])
                {
                    rows[show].Add(Offsets[(int)kind.Kind] + node);
                }
            }
        }

        foreach (var kind in Kinds)
        {
            for (var node = 0; node < kind.Names.Count; node++)
            {
                rows[Offsets[(int)kind.Kind] + node] = [.. kind.Shows[node]];
            }
        }

        return Adjacency.Of(rows);
    }
}
