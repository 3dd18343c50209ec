using Nearline.Model.Data;
using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Model.Evaluation;

/// <summary>
/// A baseline that scores every show from the shows a user watched last, and serves as M5 does: the best of the
/// scenario's pool that are available and not watched. Equal scores: the more watched in training first.
/// </summary>
public abstract class ScoringBaseline : IRetriever
{
    private const int BatchSize = 128;

    private readonly TrainingWatches watches;
    private readonly int historyLength;
    private readonly Scenario[] scenarios;
    private readonly ItemMask[] pools;
    private readonly int[] limited;

    private protected ScoringBaseline(string version, Dataset train, TrainingWatches watches, int historyLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(historyLength, 1);
        ModelVersion = version;
        this.watches = watches;
        this.historyLength = historyLength;
        scenarios = [.. train.Scenarios];
        Scenarios = [.. scenarios.Select(s => s.Id)];
        pools = [.. scenarios.Select(s => ItemMask.Of(watches.Shows.Count, row => s.Admits(watches.Shows[row])))];
        limited =
        [
            .. Enumerable.Range(0, watches.Shows.Count)
                .Where(row => watches.Shows[row].AvailableFrom is not null || watches.Shows[row].AvailableUntil is not null),
        ];
    }

    /// <inheritdoc/>
    public string ModelVersion { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Scenarios { get; }

    /// <inheritdoc/>
    public bool Knows(string showId) => watches.RowOf(showId) >= 0;

    /// <inheritdoc/>
    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var shows = watches.Shows.Count;
        var padded = (shows + TopRows.Block - 1) / TopRows.Block * TopRows.Block;
        var scores = new float[Math.Min(requests.Count, BatchSize) * padded];
        var users = new List<IReadOnlyList<ScenarioCandidates>>(requests.Count);
        foreach (var batch in requests.Chunk(BatchSize))
        {
            int[][] watched = [.. batch.Select(r => watches.RowsOf(r.History))];
            Array.Clear(scores);
            Score(
                [.. watched.Select(w => new ArraySegment<int>(w)[Math.Max(0, w.Length - historyLength)..])],
                [.. batch.Select((_, i) => scores.AsMemory(i * padded, shows))]);
            for (var i = 0; i < batch.Length; i++)
            {
                var (request, own, ofUser) = (batch[i], watched[i], new ArraySegment<float>(scores, i * padded, padded));
                users.Add([.. ServedIn(request).Select(s => new ScenarioCandidates(Scenarios[s], Best(ofUser, s, request, own, limit)))]);
            }
        }

        return new RetrievalBatch(users, TimeSpan.Zero, TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return
        [
            new ScenarioCandidates("", MostWatched(_ => true, limit)),
            .. scenarios.Select((s, i) => new ScenarioCandidates(s.Id, MostWatched(row => pools[i][row], limit))),
        ];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the baseline holds.</summary>
    /// <param name="disposing">Whether it was asked for.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Scores all shows for a batch of users.</summary>
    /// <param name="histories">Of each user the rows watched last, the oldest first.</param>
    /// <param name="scores">Of each user a score a row; zeros at first.</param>
    private protected abstract void Score(IReadOnlyList<ArraySegment<int>> histories, IReadOnlyList<Memory<float>> scores);

    private IEnumerable<int> ServedIn(RetrievalRequest request) =>
        request.History.Scenarios.Count == 0
            ? Enumerable.Range(0, scenarios.Length)
            : request.History.Scenarios.Select(id => Array.FindIndex(scenarios, s => s.Id == id)).Where(s => s >= 0);

    private ScoredShow[] Best(ReadOnlySpan<float> scores, int scenario, RetrievalRequest request, int[] watched, int limit)
    {
        var mask = pools[scenario].Clone();
        foreach (var row in request.IncludeWatched ? [] : watched)
        {
            mask.Remove(row);
        }

        foreach (var row in limited)
        {
            if (watches.Shows[row].AvailableFrom > request.Now || watches.Shows[row].AvailableUntil <= request.Now)
            {
                mask.Remove(row);
            }
        }

        var top = new TopRows(limit);
        for (var word = 0; word < mask.Words.Length; word++)
        {
            var from = word * TopRows.Block;
            top.Offer(scores.Slice(from, TopRows.Block), from, mask.Words[word]);
        }

        var best = top.Take();
        return [.. best.Rows.Select((row, i) => new ScoredShow(watches.Shows[row].Id, watches.Shows[row].Category, best.Scores[i], 0))];
    }

    private ScoredShow[] MostWatched(Func<int, bool> isIn, int limit) =>
    [
        .. Enumerable.Range(0, watches.Shows.Count).Where(isIn).Take(limit)
            .Select(row => new ScoredShow(watches.Shows[row].Id, watches.Shows[row].Category, watches.Watchers[row], 0)),
    ];
}
