using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>Embeds shows by their metadata alone, those that the model has never seen too.</summary>
internal interface IShowEmbedder
{
    /// <summary>Numbers a show.</summary>
    int Width { get; }

    /// <summary>The content embedding of a show, [width]; null when it shares nothing with the catalog that was learned from.</summary>
    float[]? Embed(Show show);

    /// <summary>The embeddings of a catalog, [shows, width], row-major; zero where there is none.</summary>
    float[] Embed(IReadOnlyList<Show> shows)
    {
        var rows = new float[shows.Count * Width];
        for (var i = 0; i < shows.Count; i++)
        {
            Embed(shows[i])?.CopyTo(rows, i * Width);
        }

        return rows;
    }
}
