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

    private TrainingWatches(Show[] shows, int[] watchers, List<int[]> users)
    {
        Shows = shows;
        Watchers = watchers;
        Users = users;
        rows = shows.Index().ToDictionary(s => s.Item.Id, s => s.Index, StringComparer.Ordinal);
    }

    /// <summary>The catalog, by row.</summary>
    public IReadOnlyList<Show> Shows { get; }

    /// <summary>Users who watched, by row; falling.</summary>
    public IReadOnlyList<int> Watchers { get; }

    /// <summary>The rows that each user watched, each once, the oldest first.</summary>
    public IReadOnlyList<int[]> Users { get; }

    /// <summary>Rows that anybody watched; they come first.</summary>
    public int Watched => Watchers.Count(w => w > 0);

    /// <summary>Reads the training part.</summary>
    public static TrainingWatches Of(Dataset train)
    {
        var popularity = Popularity.Count(train, null);
        Show[] shows = [.. train.Shows.OrderByDescending(s => popularity.Of(s.Id, null))];
        var watches = new TrainingWatches(shows, [.. shows.Select(s => popularity.Of(s.Id, null))], []);
        return new TrainingWatches(shows, [.. watches.Watchers], [.. train.Users.Select(u => watches.RowsOf(Fold(u)))]);
    }

    /// <summary>The row of a show; -1: not in the catalog.</summary>
    public int RowOf(string showId) => rows.GetValueOrDefault(showId, -1);

    /// <summary>What a history watched, the oldest first.</summary>
    public int[] RowsOf(UserHistory history)
    {
        string[] recent = [.. history.Sequence(BehaviourKind.Watch).Where(b => b.IsWatched).Select(b => b.ShowId)];
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
