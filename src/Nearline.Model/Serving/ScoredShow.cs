using Nearline.Model.Behaviours;

namespace Nearline.Model.Serving;

/// <summary>One candidate.</summary>
/// <param name="ShowId">The show.</param>
/// <param name="Category">Its category.</param>
/// <param name="Score">The hybrid score of equation 6; in a fallback list, popularity.</param>
/// <param name="IdScore">
/// The ID channel's part of it, w f_ID; the CG channel's is the rest. All of it where the score does not have two parts.
/// </param>
public readonly record struct ScoredShow(string ShowId, ShowCategory Category, float Score, float IdScore);
