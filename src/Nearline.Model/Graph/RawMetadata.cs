using Nearline.Model.Data;
using Nearline.Model.Features;

namespace Nearline.Model.Graph;

/// <summary>
/// The metadata that <see cref="ContentEncoder"/> makes a graph of, without the graph: for the raw metadata variant of
/// the paper's section 5.3.1. Values of one show only are left out, as there; those of every show would weigh nothing.
/// </summary>
internal static class RawMetadata
{
    /// <summary>The most frequent values of a field that are kept: bounds the tables of large catalogs.</summary>
    private const int MaxValues = 20_000;

    private static readonly (string Field, string[] Kinds)[] Fields =
    [
        ("tag", ["tag"]), ("cast", ["cast"]), ("release", ["category", "year", "era"]), ("text", ["text"]),
        ("director", ["director"]), ("brand", ["brand"]),
    ];

    /// <summary>The fields that have values, in a fixed order.</summary>
    public static IReadOnlyList<MetadataField> Of(IReadOnlyList<Show> shows)
    {
        IReadOnlyDictionary<string, float>[] nodes = [.. shows.Select(ContentNodes.Of)];
        return [.. Fields.Select(f => FieldOf(f.Field, f.Kinds, nodes)).Where(f => f.Size > 0)];
    }

    private static MetadataField FieldOf(string name, string[] kinds, IReadOnlyDictionary<string, float>[] nodes)
    {
        bool IsOfField(string node) => kinds.Contains(node[..node.IndexOf(':', StringComparison.Ordinal)], StringComparer.Ordinal);
        var counts = nodes.SelectMany(n => n.Keys).Where(IsOfField)
            .GroupBy(n => n, StringComparer.Ordinal).Select(g => (Node: g.Key, Count: g.Count()))
            .Where(g => g.Count >= 2 && g.Count < nodes.Length)
            .OrderByDescending(g => g.Count).ThenBy(g => g.Node, StringComparer.Ordinal)
            .Take(MaxValues).ToList();
        var rows = counts.Select((c, row) => (c.Node, row)).ToDictionary(c => c.Node, c => c.row, StringComparer.Ordinal);
        var (starts, values, weights) = (new List<int> { 0 }, new List<int>(), new List<float>());
        foreach (var show in nodes)
        {
            var squares = 0f;
            foreach (var (node, weight) in show.OrderBy(n => n.Key, StringComparer.Ordinal))
            {
                if (rows.TryGetValue(node, out var row))
                {
                    var scaled = weight * MathF.Log((1f + nodes.Length) / (1f + counts[row].Count));
                    values.Add(row);
                    weights.Add(scaled);
                    squares += scaled * scaled;
                }
            }

            for (var i = starts[^1]; i < weights.Count; i++)
            {
                weights[i] *= squares > 0 ? 1 / MathF.Sqrt(squares) : 0;
            }

            starts.Add(values.Count);
        }

        return new MetadataField(name, rows.Count, starts, values, weights) { Values = [.. counts.Select(c => c.Node)] };
    }
}
