namespace Nearline.Model.Serving;

/// <summary>A retrieval set.</summary>
/// <param name="Scenario">The scenario it is for.</param>
/// <param name="Shows">Best first, without repetition, within the scenario's pool, without watched shows.</param>
public sealed record ScenarioCandidates(string Scenario, IReadOnlyList<ScoredShow> Shows);
