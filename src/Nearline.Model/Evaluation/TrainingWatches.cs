using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Who watched what in the training part, as rows: shows in the order of their watchers, the most watched first and
/// equal ones in the catalog's order, so that "the lower row wins" breaks ties towards the popular.
/// </summary>
internal sealed class TrainingWatches
{
    private readonly Dictionary<string, int> rows;
    private readonly bool byFirstWatch;

    private TrainingWatches(Show[] shows, int[] watchers, List<int[]> users, bool byFirstWatch)
    {
        Shows = shows;
        Watchers = watchers;
        Users = users;
        this.byFirstWatch = byFirstWatch;
        rows = shows.Index().ToDictionary(s => s.Item.Id, s => s.Index, StringComparer.Ordinal);
    }

    /// <summary>The catalog, by row.</summary>
    public IReadOnlyList<Show> Shows { get; }

    /// <summary>Users who watched, by row; falling.</summary>
    public IReadOnlyList<int> Watchers { get; }

    /// <summary>The rows that each user watched, each once, as <see cref="RowsOf"/> orders them.</summary>
    public IReadOnlyList<int[]> Users { get; }

    /// <summary>Rows that anybody watched; they come first.</summary>
    public int Watched => Watchers.Count(w => w > 0);

    /// <summary>Reads the training part.</summary>
    /// <param name="train">The training part.</param>
    /// <param name="byFirstWatch">
    /// Whether histories are in the order in which shows were begun, which is the order of what is to be predicted;
    /// otherwise in that of their latest watch.
    /// </param>
    public static TrainingWatches Of(Dataset train, bool byFirstWatch = false)
    {
        var popularity = Popularity.Count(train, null);
        Show[] shows = [.. train.Shows.OrderByDescending(s => popularity.Of(s.Id, null))];
        var watches = new TrainingWatches(shows, [.. shows.Select(s => popularity.Of(s.Id, null))], [], byFirstWatch);
        return new TrainingWatches(shows, [.. watches.Watchers], [.. train.Users.Select(u => watches.RowsOf(Fold(u)))], byFirstWatch);
    }

    /// <summary>The row of a show; -1: not in the catalog.</summary>
    public int RowOf(string showId) => rows.GetValueOrDefault(showId, -1);

    /// <summary>What a history watched, the oldest first.</summary>
    public int[] RowsOf(UserHistory history)
    {
        var watched = history.Sequence(BehaviourKind.Watch).Where(b => b.IsWatched);
        string[] recent = [.. (byFirstWatch ? watched.OrderBy(b => b.FirstTime) : watched).Select(b => b.ShowId)];
        return [.. history.OlderWatched.Except(recent, StringComparer.Ordinal).Concat(recent).Select(RowOf).Where(row => row >= 0)];
    }

    private static UserHistory Fold(UserLog log)
    {
        var history = UserHistories.Start(log.User);
        foreach (var action in log.Actions)
        {
            history.Apply(action);
        }

        return history;
    }
}
