namespace Nearline.Model.Serving;

/// <summary>The sets of a micro-batch of users.</summary>
/// <param name="Users">A list of sets for each request, in the requests' order; one set for each scenario of the user.</param>
/// <param name="TowerTime">Spent in features and the user tower.</param>
/// <param name="IndexTime">Spent in the index.</param>
public sealed record RetrievalBatch(
    IReadOnlyList<IReadOnlyList<ScenarioCandidates>> Users, TimeSpan TowerTime, TimeSpan IndexTime);
