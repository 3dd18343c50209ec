using Nearline.Model.Behaviours;
using Nearline.Model.Data.Files;

namespace Nearline.Model.Data;

/// <summary>One user's actions in the order in which they count.</summary>
/// <param name="User">The user.</param>
/// <param name="Actions">By time; equal times in the file's order.</param>
public sealed record UserLog(UserProfile User, IReadOnlyList<UserAction> Actions);

/// <summary>A catalog, its scenarios and its users' actions: what training, evaluation and replay read.</summary>
/// <param name="Shows">The catalog.</param>
/// <param name="Scenarios">The scenarios, at least one.</param>
/// <param name="Users">The users, each with a log, possibly empty.</param>
public sealed record Dataset(
    IReadOnlyList<Show> Shows, IReadOnlyList<Scenario> Scenarios, IReadOnlyList<UserLog> Users)
{
    /// <summary>
    /// All users' actions by time; equal times by the user's place in <see cref="Users"/>, then by the action's
    /// place in the user's log.
    /// </summary>
    public IEnumerable<DatasetEvent> EventsByTime()
    {
        var keys = new List<(long Ticks, int User, int Action)>();
        for (var user = 0; user < Users.Count; user++)
        {
            var actions = Users[user].Actions;
            for (var action = 0; action < actions.Count; action++)
            {
                keys.Add((actions[action].Time.UtcTicks, user, action));
            }
        }

        keys.Sort();
        foreach (var (_, user, action) in keys)
        {
            yield return new DatasetEvent(Users[user].User.Id, Users[user].Actions[action]);
        }
    }

    /// <summary>
    /// <c>sha256:</c> and the hash of the content, as <see cref="DatasetFiles"/> would write it: the same for equal
    /// datasets on every machine, whatever format they were read from.
    /// </summary>
    /// <exception cref="DatasetException">The dataset contradicts itself.</exception>
    public string Fingerprint() => DatasetFingerprint.Of(this);
}
