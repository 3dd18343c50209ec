using Nearline.Model.Data;

namespace Nearline.Model.Serving;

/// <summary>What the catalog says of a show after the model was trained.</summary>
/// <param name="ShowId">The show.</param>
/// <param name="Show">The show as it is now; null: it is gone.</param>
public sealed record CatalogChange(string ShowId, Show? Show);

/// <summary>How a catalog stands after changes to it.</summary>
/// <param name="Added">Shows in the side segment: found by their content, since the model was not trained with them.</param>
/// <param name="Removed">Shows of the model that are gone.</param>
/// <param name="Unreachable">
/// Shows that are in neither: their metadata share nothing with what the model knows, or it knows no content.
/// </param>
public sealed record CatalogState(int Added, int Removed, IReadOnlyList<string> Unreachable);
