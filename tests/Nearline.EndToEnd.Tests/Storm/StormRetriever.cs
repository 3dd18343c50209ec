using Nearline.Contracts;
using Nearline.Model.Behaviours;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Tests.Support;
using Reference = Nearline.Worker.Tests.Support.ReferenceFold;

namespace Nearline.EndToEnd.Tests.Storm;

/// <summary>
/// A model that starts at once and whose scores depend on everything in a history: two sets are equal only when they
/// were made of equal pasts.
/// </summary>
internal sealed class StormRetriever : IServingRetriever, IRetrieverSource
{
    private static readonly string[] Shows =
        [.. Enumerable.Range(0, 3).Select(i => $"series-{i}"), .. Enumerable.Range(0, 17).Select(i => $"film-{i}")];

    public string ModelVersion => "storm";

    /// <summary>Those of <see cref="Lives"/>, and one that no user asks for.</summary>
    public IReadOnlyList<string> Scenarios { get; } = ["home", "s0", "s1", "s2"];

    public IndexInfo Index { get; } = new("exact-fake", Shows.Length, 1, 0, [], "as asked for");

    public string ActiveVersion() => ModelVersion;

    public IServingRetriever Load(string version) => this;

    public bool Knows(string showId) => Shows.Contains(showId);

    public CatalogState Apply(IReadOnlyList<CatalogChange> changes) => new(0, 0, []);

    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit) =>
        new([.. requests.Select(r => SetsOf(r.History, limit))], TimeSpan.Zero, TimeSpan.Zero);

    public ShowInspection Inspect(RetrievalRequest request, string scenario, string showId, int limit, int neighbours) =>
        throw new NotSupportedException();

    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit) => [.. Scenarios.Append("").Select(s => Ranked(s, "", new UserHistory(), limit))];

    public void Dispose()
    {
    }

    private List<ScenarioCandidates> SetsOf(UserHistory history, int limit)
    {
        var past = Reference.Describe(history);
        return [.. Scenarios.Where(s => history.Scenarios.Count == 0 || history.Scenarios.Contains(s)).Select(s => Ranked(s, past, history, limit))];
    }

    private static ScenarioCandidates Ranked(string scenario, string past, UserHistory history, int limit) => new(
        scenario,
        [
            .. Shows.Where(show => !history.HasWatched(show))
                .Select(show => new ScoredShow(show, ShowCategory.Movie, StableHash.Of(past, $"{scenario}/{show}") % 1_000_000, 1))
                .OrderByDescending(s => s.Score).ThenBy(s => s.ShowId, StringComparer.Ordinal)
                .Take(limit),
        ]);
}
