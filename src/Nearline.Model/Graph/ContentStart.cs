using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>What a model's CG table started from, and what embeds the shows that come later.</summary>
/// <param name="Embedder">Embeds shows. A content graph belongs to who gave it, and must outlive this.</param>
/// <param name="Rows">The embeddings of the model's shows, [shows, width], row-major; zero where there is none.</param>
/// <param name="Scale">The table started from the rows times this.</param>
internal sealed record ContentStart(IShowEmbedder Embedder, float[] Rows, float Scale)
{
    /// <summary>The start of a catalog.</summary>
    /// <param name="shows">The catalog.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="graph">The content graph; null: <see cref="ContentEncoder"/> of the catalog.</param>
    /// <param name="seed">Of that.</param>
    public static ContentStart Of(IReadOnlyList<Show> shows, M5Config config, ContentGraph? graph, int seed)
    {
        var scale = (float)config.ContentScale;
        if (graph is not null)
        {
            return new ContentStart(graph, graph.EmbeddingsOf(shows), scale);
        }

        var encoder = ContentEncoder.Fit(shows, config.Width, seed);
        return new ContentStart(encoder, encoder.Embed(shows), scale);
    }
}
