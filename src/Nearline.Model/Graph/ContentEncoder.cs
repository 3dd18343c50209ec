using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>
/// Content graph (CG) embeddings from the catalog alone: shows joined to their tags, cast, directors, brands, year and
/// title n-grams, the TF-IDF weighted show-by-node matrix projected on its dominant subspace. Shows that share rare nodes
/// come out alike.
/// </summary>
/// <remarks>
/// A linear stand-in for the metagraph's GraphSAGE of the paper's section 4.2.1: no training, deterministic for a seed.
/// Inductive as that is: a show that was not there is embedded by the nodes that it shares with those that were.
/// </remarks>
internal sealed class ContentEncoder : IShowEmbedder
{
    private const int Iterations = 3;

    private readonly Dictionary<string, int> index;
    private readonly float[] rarity;
    private readonly float[][] basis;

    /// <param name="nodes">What shows are joined to, as <see cref="ContentNodes"/> names it.</param>
    /// <param name="rarity">The IDF of each node.</param>
    /// <param name="basis">The subspace: columns as long as <paramref name="nodes"/>.</param>
    public ContentEncoder(IReadOnlyList<string> nodes, float[] rarity, float[][] basis)
    {
        Nodes = nodes;
        this.rarity = rarity;
        this.basis = basis;
        index = nodes.Index().ToDictionary(n => n.Item, n => n.Index, StringComparer.Ordinal);
    }

    /// <summary>Numbers a show.</summary>
    public int Width => basis.Length;

    /// <summary>What shows are joined to.</summary>
    public IReadOnlyList<string> Nodes { get; }

    /// <summary>The IDF of each node.</summary>
    public IReadOnlyList<float> Rarity => rarity;

    /// <summary>The subspace, [nodes, width], row-major.</summary>
    public float[] Basis()
    {
        var rows = new float[Nodes.Count * Width];
        for (var c = 0; c < Width; c++)
        {
            for (var node = 0; node < Nodes.Count; node++)
            {
                rows[(node * Width) + c] = basis[c][node];
            }
        }

        return rows;
    }

    /// <summary>Finds nodes and subspace of a catalog.</summary>
    /// <param name="shows">The catalog.</param>
    /// <param name="width">Numbers a show.</param>
    /// <param name="seed">Of the random start of the subspace iteration.</param>
    public static ContentEncoder Fit(IReadOnlyList<Show> shows, int width, int seed)
    {
        ArgumentNullException.ThrowIfNull(shows);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in shows.SelectMany(s => ContentNodes.Of(s).Keys))
        {
            counts[node] = counts.GetValueOrDefault(node) + 1;
        }

        // A node of one show tells it from the others but joins it to none.
        string[] nodes = [.. counts.Where(c => c.Value >= 2).Select(c => c.Key)];
        float[] idf = [.. nodes.Select(n => MathF.Log((1f + shows.Count) / (1f + counts[n])))];
        var bare = new ContentEncoder(nodes, idf, []);
        List<(int, float)>[] rows = [.. shows.Select(bare.RowOf)];

        // Orthogonal iteration: the columns of `subspace` come to span the right singular vectors of the largest values.
        var subspace = Subspace.Random(width, nodes.Length, seed);
        Subspace.Orthonormalize(subspace);
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            var images = Subspace.Multiply(rows, subspace);
            Subspace.Orthonormalize(images);
            subspace = Subspace.MultiplyTransposed(rows, images, nodes.Length);
            Subspace.Orthonormalize(subspace);
        }

        return new ContentEncoder(nodes, idf, subspace);
    }

    /// <summary>The embeddings of a catalog, [shows, width], row-major; zero where there is none.</summary>
    public float[] Embed(IReadOnlyList<Show> shows)
    {
        var rows = new float[shows.Count * Width];
        for (var i = 0; i < shows.Count; i++)
        {
            Embed(shows[i])?.CopyTo(rows, i * Width);
        }

        return rows;
    }

    /// <summary>The content embedding of a show, [width]; null when it shares nothing with the catalog that was learned from.</summary>
    public float[]? Embed(Show show)
    {
        var result = new float[Width];
        foreach (var (node, weight) in RowOf(show))
        {
            for (var c = 0; c < Width; c++)
            {
                result[c] += weight * basis[c][node];
            }
        }

        var squares = VectorMath.Dot(result, result);
        if (squares <= 1e-12f)
        {
            return null;
        }

        var scale = 1 / MathF.Sqrt(squares);
        foreach (ref var value in result.AsSpan())
        {
            value *= scale;
        }

        return result;
    }

    /// <summary>A show's known nodes with weights: unit length, each kind with its share of it.</summary>
    private List<(int Node, float Weight)> RowOf(Show show)
    {
        var row = new List<(int Node, float Weight)>();
        foreach (var kind in ContentNodes.Of(show).GroupBy(n => n.Key[..n.Key.IndexOf(':', StringComparison.Ordinal)], StringComparer.Ordinal))
        {
            (int Node, float Weight)[] joined =
                [.. kind.Where(n => index.ContainsKey(n.Key)).Select(n => (index[n.Key], n.Value * rarity[index[n.Key]]))];

            // Rarity counts within a kind; between kinds it would let the words of titles drown what shows are about.
            var norm = MathF.Sqrt(joined.Sum(n => n.Weight * n.Weight));
            row.AddRange(joined.Where(_ => norm > 0).Select(n => (n.Node, n.Weight / norm * WeightOf(kind.Key))));
        }

        var length = MathF.Sqrt(row.Sum(n => n.Weight * n.Weight));
        return [.. row.Select(n => (n.Node, n.Weight / Math.Max(length, float.Epsilon)))];
    }

    /// <summary>The length of a kind's part of a show's row.</summary>
    private static float WeightOf(string kind) => kind switch
    {
        "tag" => 1,
        "cast" or "director" => 0.7f,
        "category" or "era" or "brand" => 0.5f,
        _ => 0.3f,
    };
}
