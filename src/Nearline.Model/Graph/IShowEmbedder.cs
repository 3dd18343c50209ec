using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>
/// Embeds shows by what the catalog says of them, also those that came after it was made:
/// <see cref="ContentGraph"/>, or <see cref="ContentEncoder"/> where a model was trained without one.
/// </summary>
internal interface IShowEmbedder
{
    /// <summary>Numbers a show.</summary>
    int Width { get; }

    /// <summary>The embedding of a show, [width]; null when nothing of it is known.</summary>
    float[]? Embed(Show show);
}
