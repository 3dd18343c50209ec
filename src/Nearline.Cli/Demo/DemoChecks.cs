using Spectre.Console;

namespace Nearline.Cli.Demo;

/// <summary>What the demo found wrong with itself; empty at the end means ok.</summary>
internal sealed class DemoChecks
{
    private readonly List<string> failures = [];

    /// <summary>Whether every check held.</summary>
    public bool Passed => failures.Count == 0;

    /// <summary>Notes a failure when the condition does not hold.</summary>
    public void That(bool condition, string failure)
    {
        if (!condition)
        {
            failures.Add(failure);
        }
    }

    /// <summary>Checks one user's set after an event against the set before.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="watched">The show that the event says was watched.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="before">The set before, best first.</param>
    /// <param name="after">The set after, best first.</param>
    /// <param name="triggerEventId">The event that the set after says it follows.</param>
    public void Followed(
        string userId,
        string watched,
        string eventId,
        IReadOnlyList<string> before,
        IReadOnlyList<string> after,
        string triggerEventId)
    {
        That(triggerEventId == eventId, $"user {userId}: the set follows event '{triggerEventId}', not '{eventId}'");
        That(!after.Contains(watched), $"user {userId}: show {watched} was watched and is still in the set");
        That(after.Count > 0, $"user {userId}: the set after the event is empty");
        That(!before.SequenceEqual(after), $"user {userId}: the set did not change after event '{eventId}'");
    }

    /// <summary>Checks that a service's metrics have all of the names.</summary>
    public void HasMetrics(string service, string text, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            That(
                text.Contains("\n" + name, StringComparison.Ordinal),
                $"{service}: /metrics has no {name}");
        }
    }

    /// <summary>Prints what failed.</summary>
    public void Print()
    {
        foreach (var failure in failures)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]check failed:[/] {failure}");
        }
    }
}
