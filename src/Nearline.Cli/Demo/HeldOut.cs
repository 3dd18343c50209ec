using Nearline.Model.Data;

namespace Nearline.Cli.Demo;

/// <summary>A user whose last watch was kept from training, so that it can be published live.</summary>
/// <param name="Log">The user and all actions.</param>
/// <param name="Index">The place of the watch in the log.</param>
/// <param name="Scenario">The scenario in which it is looked for.</param>
internal sealed record HeldOut(UserLog Log, int Index, string Scenario)
{
    /// <summary>The user.</summary>
    public string UserId => Log.User.Id;

    /// <summary>The show that was watched.</summary>
    public string ShowId => Log.Actions[Index].ShowId!;
}
