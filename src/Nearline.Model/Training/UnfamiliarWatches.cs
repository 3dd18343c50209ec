using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Training;

/// <summary>
/// The instances of training and evaluation: watches of shows that the user had not watched before, with at least two
/// minutes of playback or an unknown amount (paper, section 5.1.1).
/// </summary>
/// <remarks>
/// A show that is begun for a minute and taken up again later becomes watched at the event that completes the two
/// minutes. A watch before which the user has no event is no instance: without an event no set would have been built.
/// </remarks>
public static class UnfamiliarWatches
{
    /// <summary>Their indices in the log's actions, rising.</summary>
    public static List<int> Of(UserLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var found = new List<int>();
        var history = UserHistories.Start(log.User);
        for (var i = 0; i < log.Actions.Count; i++)
        {
            var action = log.Actions[i];
            var isCandidate = action is { Kind: ActionKind.Watch, ShowId: { } show } &&
                history.LastEventTime is not null && !history.HasWatched(show);
            history.Apply(action);
            if (isCandidate && history.HasWatched(action.ShowId!))
            {
                found.Add(i);
            }
        }

        return found;
    }

    /// <summary>
    /// The scenarios that an instance counts for: the one in which the user acted, else those in which the user is
    /// served, else all.
    /// </summary>
    /// <param name="action">The instance.</param>
    /// <param name="served">The user's scenarios at the time.</param>
    /// <param name="all">The data set's scenarios.</param>
    internal static IReadOnlyList<string> ScenariosOf(
        UserAction action, IReadOnlyList<string> served, IReadOnlyList<string> all)
    {
        if (action.Scenario is { } scenario && all.Contains(scenario))
        {
            return [scenario];
        }

        string[] known = [.. served.Where(all.Contains)];
        return known.Length > 0 ? known : all;
    }
}
