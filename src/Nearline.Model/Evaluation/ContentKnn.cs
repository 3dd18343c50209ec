using Nearline.Model.Data;
using Nearline.Model.Graph;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Content-based nearest neighbours: two shows are as near as the cosine of their attribute vectors, and a show scores
/// the sum of its nearness to those watched last. Attributes are what the metadata say (tags, people, brands, n-grams of
/// title and description, category, years), weighted by how rare they are (TF-IDF). Knows shows that nobody watched.
/// </summary>
public sealed class ContentKnn : ScoringBaseline
{
    /// <summary>Watches that count unless told otherwise.</summary>
    public const int UsualHistory = 50;

    // By row; unit length, or empty.
    private readonly (int Attribute, float Weight)[][] vectors;
    private readonly int attributes;

    private ContentKnn(Dataset train, TrainingWatches watches, int history)
        : base("contentknn", train, watches, history) => (vectors, attributes) = VectorsOf(watches.Shows);

    /// <summary>Reads the attributes of a catalog.</summary>
    /// <param name="train">The training part, with the whole catalog that is to be found.</param>
    /// <param name="history">The last so many watched shows score, from one.</param>
    public static ContentKnn Of(Dataset train, int history = UsualHistory)
    {
        ArgumentNullException.ThrowIfNull(train);
        return new ContentKnn(train, TrainingWatches.Of(train), history);
    }

    private protected override void Score(IReadOnlyList<ArraySegment<int>> histories, IReadOnlyList<Memory<float>> scores)
    {
        var taste = new float[attributes];
        for (var user = 0; user < histories.Count; user++)
        {
            // The sum of cosines to unit vectors is the inner product with their sum.
            Array.Clear(taste);
            foreach (var (attribute, weight) in histories[user].SelectMany(watched => vectors[watched]))
            {
                taste[attribute] += weight;
            }

            var own = scores[user].Span;
            for (var row = 0; row < vectors.Length; row++)
            {
                foreach (var (attribute, weight) in vectors[row])
                {
                    own[row] += weight * taste[attribute];
                }
            }
        }
    }

    private static ((int Attribute, float Weight)[][] Vectors, int Attributes) VectorsOf(IReadOnlyList<Show> shows)
    {
        Dictionary<string, float>[] nodes = [.. shows.Select(ContentNodes.Of)];
        var counts = nodes.SelectMany(n => n.Keys).CountBy(key => key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var places = counts.Keys.Index().ToDictionary(k => k.Item, k => k.Index, StringComparer.Ordinal);
        return ([.. nodes.Select(Vector)], places.Count);

        (int, float)[] Vector(Dictionary<string, float> of)
        {
            (int Place, float Weight)[] row =
                [.. of.Select(n => (places[n.Key], n.Value * MathF.Log((1f + shows.Count) / (1f + counts[n.Key]))))];
            var length = MathF.Sqrt(row.Sum(r => r.Weight * r.Weight));
            return length > 0 ? [.. row.Select(r => (r.Place, r.Weight / length))] : [];
        }
    }
}
