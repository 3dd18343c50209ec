using System.Collections.Concurrent;
using Nearline.Contracts;
using Nearline.Model.Behaviours;
using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Worker.Tests.Support;

/// <summary>
/// A deterministic model: shows "series-0".."film-3" and so on, scores from a hash of version and show, watched shows
/// left out. It notices when it is used by two threads, or after it was disposed.
/// </summary>
internal sealed class FakeRetriever(string version, params string[] scenarios) : IServingRetriever
{
    public static readonly string[] Shows =
        [.. Enumerable.Range(0, 5).Select(i => $"series-{i}"), .. Enumerable.Range(0, 15).Select(i => $"film-{i}")];

    private int inUse;

    public string ModelVersion { get; } = version;

    public IReadOnlyList<string> Scenarios { get; } = scenarios.Length == 0 ? ["home", "kids"] : scenarios;

    public IndexInfo Index { get; } = new("exact-fake", 20, 8, 1280, [new BackendTiming("exact-fake", 0.5)], "as asked for");

    public bool IsDisposed { get; private set; }

    /// <summary>Called with the users of each call, before it does anything: may throw, may wait.</summary>
    public Action<IReadOnlyList<RetrievalRequest>>? OnRetrieve { get; init; }

    /// <summary>Called with the changes of each call, before it does anything: may throw.</summary>
    public Action<IReadOnlyList<CatalogChange>>? OnApply { get; init; }

    /// <summary>Called at each inspection, before it does anything: may throw, may wait.</summary>
    public Action? OnInspect { get; init; }

    public int Calls { get; private set; }

    /// <summary>The catalog as changes left it.</summary>
    public ConcurrentDictionary<string, CatalogChange> Catalog { get; } = new();

    public CatalogState Apply(IReadOnlyList<CatalogChange> changes)
    {
        Assert.False(IsDisposed, "used after disposal");
        OnApply?.Invoke(changes);
        foreach (var change in changes)
        {
            Catalog[change.ShowId] = change;
        }

        return new CatalogState(
            Catalog.Values.Count(c => c.Show is not null && !Shows.Contains(c.ShowId)),
            Catalog.Values.Count(c => c.Show is null && Shows.Contains(c.ShowId)),
            []);
    }

    public bool Knows(string showId) => Shows.Contains(showId);

    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit)
    {
        Assert.False(IsDisposed, "used after disposal");
        Assert.Equal(1, Interlocked.Increment(ref inUse));
        try
        {
            Calls++;
            OnRetrieve?.Invoke(requests);
            return new RetrievalBatch([.. requests.Select(r => SetsOf(r, limit))], TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
        }
        finally
        {
            Interlocked.Decrement(ref inUse);
        }
    }

    public ShowInspection Inspect(RetrievalRequest request, string scenario, string showId, int limit, int neighbours)
    {
        OnInspect?.Invoke();
        var set = Retrieve([request], limit).Users[0].FirstOrDefault(s => s.Scenario == scenario)?.Shows ?? [];
        return new ShowInspection(
            Knows(showId) ? ShowStanding.Known : ShowStanding.Unknown, null, false, true, [], request.History.HasWatched(showId), set.Count > 0)
        {
            Set = set,
            Place = set.Index().Where(s => s.Item.ShowId == showId).Select(s => (int?)s.Index).FirstOrDefault(),
            Scores = Knows(showId) ? new ScoreParts(1, 1, 1, 1, 0) : null,
        };
    }

    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit) =>
        [.. Scenarios.Append("").Select(s => new ScenarioCandidates(s, [.. Ranked(s).Where(IsThere).Take(limit)]))];

    public void Dispose() => IsDisposed = true;

    private IReadOnlyList<ScenarioCandidates> SetsOf(RetrievalRequest request, int limit) =>
    [
        .. Scenarios.Where(s => request.History.Scenarios.Count == 0 || request.History.Scenarios.Contains(s))
            .Select(s => new ScenarioCandidates(
                s, [.. Ranked(s).Where(show => IsThere(show) && !request.History.HasWatched(show.ShowId)).Take(limit)])),
    ];

    private bool IsThere(ScoredShow show) => !Catalog.TryGetValue(show.ShowId, out var change) || change.Show is not null;

    private IEnumerable<ScoredShow> Ranked(string scenario) => Shows
        .Select(id => new ScoredShow(id, ShowCategory.Movie, StableHash.Of(ModelVersion + scenario, id) % 1000, 1))
        .OrderByDescending(s => s.Score)
        .ThenBy(s => s.ShowId, StringComparer.Ordinal);
}
