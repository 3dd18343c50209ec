using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Serving;

namespace Nearline.Model.Evaluation;

/// <summary>
/// The most watched shows of the scenario's pool that the user has not watched: what any model has to beat, by the same
/// protocol in the same run. On time splits the popularity of the last days is the hard one.
/// </summary>
public sealed class PopularityBaseline : IRetriever
{
    private readonly Dictionary<string, List<ScoredShow>> rankings;
    private readonly Dictionary<string, Show> shows;

    private PopularityBaseline(string version, Dictionary<string, List<ScoredShow>> rankings, Dictionary<string, Show> shows)
    {
        ModelVersion = version;
        this.rankings = rankings;
        this.shows = shows;
        Scenarios = [.. rankings.Keys.Where(k => k.Length > 0)];
    }

    /// <inheritdoc/>
    public string ModelVersion { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Scenarios { get; }

    /// <summary>Counts who watched what in the training part.</summary>
    /// <param name="train">The training part.</param>
    /// <param name="window">Only so long before the last action; null: all of it.</param>
    public static PopularityBaseline Of(Dataset train, TimeSpan? window = null)
    {
        ArgumentNullException.ThrowIfNull(train);
        var popularity = Popularity.Count(train, window);
        var ranked = new Dictionary<string, List<ScoredShow>>(StringComparer.Ordinal)
        {
            [""] = popularity.Rank(train.Shows, null),
        };
        foreach (var scenario in train.Scenarios)
        {
            ranked[scenario.Id] = popularity.Rank(train.Shows, scenario, fromAll: true);
        }

        return new PopularityBaseline(
            window is { } w ? $"popularity-{w.TotalDays:0}d" : "popularity",
            ranked,
            train.Shows.ToDictionary(s => s.Id, StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public bool Knows(string showId) => shows.ContainsKey(showId);

    /// <inheritdoc/>
    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit)
    {
        ArgumentNullException.ThrowIfNull(requests);
        var users = new List<IReadOnlyList<ScenarioCandidates>>(requests.Count);
        foreach (var request in requests)
        {
            IEnumerable<string> served = request.History.Scenarios.Where(rankings.ContainsKey);
            users.Add(
            [
                .. (served.Any() ? served : Scenarios).Select(scenario => new ScenarioCandidates(
                    scenario,
                    [.. rankings[scenario].Where(s => IsOffered(s.ShowId, request)).Take(limit)])),
            ]);
        }

        return new RetrievalBatch(users, TimeSpan.Zero, TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit) =>
        [.. rankings.Select(r => new ScenarioCandidates(r.Key, [.. r.Value.Take(limit)]))];

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private bool IsOffered(string showId, RetrievalRequest request) =>
        !(shows[showId].AvailableFrom > request.Now) && !(shows[showId].AvailableUntil <= request.Now) &&
        (request.IncludeWatched || !request.History.HasWatched(showId));
}
