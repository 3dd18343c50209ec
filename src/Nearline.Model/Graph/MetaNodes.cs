using System.Globalization;
using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>The nodes of one kind and the edges between them and the shows.</summary>
/// <param name="Kind">Their kind.</param>
/// <param name="Names">What each stands for, in capitals; the show's id for text and visual nodes.</param>
/// <param name="OfShows">Each show's nodes.</param>
/// <param name="Shows">Each node's shows.</param>
/// <param name="Vectors">The vectors of text and visual nodes, in the order of the names; null for other kinds.</param>
public sealed record MetaNodes(
    MetaNodeKind Kind, IReadOnlyList<string> Names, Adjacency OfShows, Adjacency Shows, NodeVectors? Vectors)
{
    /// <summary>Years of an era.</summary>
    internal const int EraYears = 5;

    /// <summary>The kinds whose nodes have an embedding of their own, in order; those of the others are made of vectors.</summary>
    internal static IReadOnlyList<MetaNodeKind> Learned { get; } =
        [MetaNodeKind.Tag, MetaNodeKind.Cast, MetaNodeKind.Director, MetaNodeKind.Brand, MetaNodeKind.Category, MetaNodeKind.Era];

    /// <summary>The names of a show's nodes of a learned kind, each once.</summary>
    internal static IReadOnlyList<string> NamesOf(Show show, MetaNodeKind kind)
    {
        IEnumerable<string> values = kind switch
        {
            MetaNodeKind.Tag => show.Tags,
            MetaNodeKind.Cast => show.Cast,
            MetaNodeKind.Director => show.Directors,
            MetaNodeKind.Brand => show.Brands,
            MetaNodeKind.Category => [show.Category.ToString()],
            MetaNodeKind.Era => show.ReleaseYear is { } year
                ? [(year - (((year % EraYears) + EraYears) % EraYears)).ToString(CultureInfo.InvariantCulture)]
                : [],
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "must be a kind with names"),
        };
        return [.. values.Select(v => v.Trim().ToUpperInvariant()).Where(v => v.Length > 0).Distinct(StringComparer.Ordinal)];
    }

    internal static MetaNodes OfNames(MetaNodeKind kind, IReadOnlyList<Show> shows)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var edges = shows.Select(show => NamesOf(show, kind).Select(name =>
        {
            places.TryAdd(name, places.Count);
            return places[name];
        }).ToArray()).ToArray();
        var ofShows = Adjacency.Of(edges);
        return new MetaNodes(kind, [.. places.Keys], ofShows, ofShows.Reversed(places.Count), null);
    }

    /// <summary>A node for each show that has a vector, in the order of the shows.</summary>
    internal static MetaNodes OfVectors(MetaNodeKind kind, IReadOnlyList<Show> shows, NodeVectors? vectors)
    {
        if (vectors is null)
        {
            var none = Adjacency.Of([.. shows.Select(_ => Array.Empty<int>())]);
            return new MetaNodes(kind, [], none, none.Reversed(0), null);
        }

        var rows = vectors.Ids.Index().ToDictionary(v => v.Item, v => v.Index, StringComparer.Ordinal);
        var names = new List<string>();
        var values = new float[shows.Count(s => rows.ContainsKey(s.Id)) * vectors.Width];
        var edges = new int[shows.Count][];
        for (var i = 0; i < shows.Count; i++)
        {
            edges[i] = [];
            if (rows.TryGetValue(shows[i].Id, out var row))
            {
                edges[i] = [names.Count];
                vectors.Row(row).CopyTo(values.AsSpan(names.Count * vectors.Width));
                names.Add(shows[i].Id);
            }
        }

        var ofShows = Adjacency.Of(edges);
        return new MetaNodes(
            kind, names, ofShows, ofShows.Reversed(names.Count), new NodeVectors(names, vectors.Width, values));
    }
}
