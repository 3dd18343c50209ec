using System.Globalization;
using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>
/// Content graph (CG) embeddings from the catalog alone: shows joined to their tags, cast, directors, brands, year and title n-grams, the
/// TF-IDF weighted show-by-node matrix projected on its dominant subspace. Shows that share rare nodes come out alike.
/// </summary>
/// <remarks>
/// A linear stand-in for the metagraph's GraphSAGE of the paper's section 4.2.1: no training, deterministic for a seed.
/// Rows have unit length; a show without any node that another show shares has a zero row.
/// </remarks>
public static class ContentEmbedding
{
    /// <summary>Embeds a catalog.</summary>
    /// <param name="shows">The shows, in the order of the rows.</param>
    /// <param name="width">Numbers a show.</param>
    /// <param name="seed">Of the random start of the subspace iteration.</param>
    /// <returns>[shows, width], row-major.</returns>
    public static float[] Of(IReadOnlyList<Show> shows, int width, int seed)
    {
        ArgumentNullException.ThrowIfNull(shows);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var (rows, nodes) = Matrix(shows);

        // Orthogonal iteration: the columns of `basis` come to span the right singular vectors of the largest values.
        const int iterations = 3;
        var basis = Subspace.Random(width, nodes, seed);
        Subspace.Orthonormalize(basis);
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            var images = Subspace.Multiply(rows, basis);
            Subspace.Orthonormalize(images);
            basis = Subspace.MultiplyTransposed(rows, images, nodes);
            Subspace.Orthonormalize(basis);
        }

        return UnitRows(Subspace.Multiply(rows, basis), shows.Count, width);
    }

    /// <summary>Each show's (node, weight) pairs, and how many nodes there are.</summary>
    private static (List<(int Node, float Weight)>[] Rows, int Nodes) Matrix(IReadOnlyList<Show> shows)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var nodesOf = new Dictionary<string, float>[shows.Count];
        for (var i = 0; i < shows.Count; i++)
        {
            nodesOf[i] = NodesOf(shows[i]);
            foreach (var node in nodesOf[i].Keys)
            {
                counts[node] = counts.GetValueOrDefault(node) + 1;
            }
        }

        // A node of one show tells it from the others but joins it to none.
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (node, count) in counts)
        {
            if (count >= 2)
            {
                index[node] = index.Count;
            }
        }

        var rows = new List<(int, float)>[shows.Count];
        for (var i = 0; i < shows.Count; i++)
        {
            rows[i] = [];
            foreach (var kind in nodesOf[i].GroupBy(n => n.Key[..n.Key.IndexOf(':', StringComparison.Ordinal)], StringComparer.Ordinal))
            {
                (int Node, float Weight)[] joined =
                [
                    .. kind.Where(n => index.ContainsKey(n.Key))
                        .Select(n => (index[n.Key], n.Value * MathF.Log((1f + shows.Count) / (1f + counts[n.Key])))),
                ];

                // Rarity counts within a kind; between kinds it would let the words of titles drown what shows are about.
                var norm = MathF.Sqrt(joined.Sum(n => n.Weight * n.Weight));
                rows[i].AddRange(joined.Where(_ => norm > 0).Select(n => (n.Node, n.Weight / norm * WeightOf(kind.Key))));
            }

            var length = MathF.Sqrt(rows[i].Sum(n => n.Item2 * n.Item2));
            rows[i] = [.. rows[i].Select(n => (n.Item1, n.Item2 / Math.Max(length, float.Epsilon)))];
        }

        return (rows, index.Count);
    }

    /// <summary>The length of a kind's part of a show's row.</summary>
    private static float WeightOf(string kind) => kind switch
    {
        "tag" => 1,
        "cast" or "director" => 0.7f,
        "category" or "era" or "brand" => 0.5f,
        _ => 0.3f,
    };

    /// <summary>The nodes that a show is joined to, each as "kind:VALUE", with the weights of the edges.</summary>
    internal static Dictionary<string, float> NodesOf(Show show)
    {
        var nodes = new Dictionary<string, float>(StringComparer.Ordinal);
        void Join(string kind, IEnumerable<string> values, float weight)
        {
            string[] distinct = [.. values.Where(v => v.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase)];
            foreach (var value in distinct)
            {
                nodes[$"{kind}:{value.ToUpperInvariant()}"] = weight / MathF.Sqrt(distinct.Length);
            }
        }

        Join("tag", show.Tags, 1);
        Join("cast", show.Cast, 0.7f);
        Join("director", show.Directors, 0.7f);
        Join("brand", show.Brands, 0.5f);
        Join("text", NGrams($"{show.Title} {show.Description}", 4), 0.5f);
        Join("category", [show.Category.ToString()], 0.5f);
        if (show.ReleaseYear is { } year)
        {
            Join("year", [year.ToString(CultureInfo.InvariantCulture)], 0.3f);
            Join("era", [(year / 5).ToString(CultureInfo.InvariantCulture)], 0.5f);
        }

        return nodes;
    }

    /// <summary>The runs of so many letters in the words of a text, each word marked at both ends.</summary>
    internal static IEnumerable<string> NGrams(string text, int length)
    {
        foreach (var word in text.Split([' ', ',', '.', ':', ';', '(', ')', '"', '\''], StringSplitOptions.RemoveEmptyEntries))
        {
            var padded = $"<{word}>";
            for (var i = 0; i + length <= padded.Length; i++)
            {
                yield return padded.Substring(i, length);
            }
        }
    }

    private static float[] UnitRows(float[][] columns, int count, int width)
    {
        var result = new float[count * width];
        for (var i = 0; i < count; i++)
        {
            var row = result.AsSpan(i * width, width);
            var squares = 0f;
            for (var c = 0; c < width; c++)
            {
                row[c] = columns[c][i];
                squares += row[c] * row[c];
            }

            var scale = squares > 1e-12f ? 1 / MathF.Sqrt(squares) : 0;
            foreach (ref var value in row)
            {
                value *= scale;
            }
        }

        return result;
    }
}
