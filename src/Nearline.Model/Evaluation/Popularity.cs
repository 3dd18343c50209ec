using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Serving;
using Nearline.Model.Training;

namespace Nearline.Model.Evaluation;

/// <summary>How many users watched each show: over all, and by scenario.</summary>
internal sealed class Popularity
{
    private readonly Dictionary<string, int> total = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Scenario, string Show), int> byScenario = [];

    private Popularity()
    {
    }

    /// <summary>Counts each user once for each show watched.</summary>
    /// <param name="dataset">The logs to count.</param>
    /// <param name="window">Only so long before the data set's last action; null: all of it.</param>
    public static Popularity Count(Dataset dataset, TimeSpan? window)
    {
        var popularity = new Popularity();
        var actions = dataset.Users.SelectMany(u => u.Actions);
        var from = window is { } w && actions.Any() ? actions.Max(a => a.Time) - w : DateTimeOffset.MinValue;
        string[] scenarios = [.. dataset.Scenarios.Select(s => s.Id)];
        foreach (var log in dataset.Users)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var history = UserHistories.Start(log.User);
            foreach (var action in log.Actions)
            {
                history.Apply(action);
                if (action is not { Kind: ActionKind.Watch, ShowId: { } show } || action.Time < from ||
                    !history.HasWatched(show) || !seen.Add(show))
                {
                    continue;
                }

                popularity.total[show] = popularity.total.GetValueOrDefault(show) + 1;
                foreach (var scenario in UnfamiliarWatches.ScenariosOf(action, history.Scenarios, scenarios))
                {
                    popularity.byScenario[(scenario, show)] = popularity.byScenario.GetValueOrDefault((scenario, show)) + 1;
                }
            }
        }

        return popularity;
    }

    /// <summary>Users who watched the show, in a scenario or (null) in any.</summary>
    public int Of(string showId, string? scenario) =>
        scenario is null ? total.GetValueOrDefault(showId) : byScenario.GetValueOrDefault((scenario, showId));

    /// <summary>A scenario's pool, or the whole catalog, the most watched first; equal counts in the catalog's order.</summary>
    /// <param name="shows">The catalog.</param>
    /// <param name="scenario">The pool; null: the whole catalog.</param>
    /// <param name="fromAll">Whether watches in other scenarios count too.</param>
    public List<ScoredShow> Rank(IReadOnlyList<Show> shows, Scenario? scenario, bool fromAll = false) =>
    [
        .. shows.Where(s => scenario?.Admits(s) ?? true)
            .Select(s => (Show: s, Count: Of(s.Id, fromAll ? null : scenario?.Id)))
            .OrderByDescending(s => s.Count)
            .Select(s => new ScoredShow(s.Show.Id, s.Show.Category, s.Count, 0)),
    ];
}
