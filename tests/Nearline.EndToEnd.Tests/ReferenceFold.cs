using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Storage.V1;

namespace Nearline.EndToEnd.Tests;

/// <summary>
/// What a user's state must be after a list of events, computed all at once from the whole list instead of event by
/// event, so that it shares nothing with the fold under test.
/// </summary>
internal static class ReferenceFold
{
    /// <summary>One line for each thing that the state must hold, in a fixed order.</summary>
    public static List<string> Of(IReadOnlyList<UserEvent> events)
    {
        var lines = new List<string>();
        var numbered = events.Select((e, i) => (Event: e, Time: e.EventTime.ToDateTimeOffset(), Order: i)).ToList();

        foreach (var show in numbered.Where(e => e.Event.Watch is not null).GroupBy(e => e.Event.Watch.ShowId))
        {
            var episodes = show.Select(e => e.Event.Watch.EpisodeId).Where(id => id.Length > 0).Distinct().Count();
            lines.Add(Line(
                BehaviourKind.Watch,
                show.Key,
                Math.Max(1, episodes),
                show.Sum(e => e.Event.Watch.Played?.ToTimeSpan().TotalSeconds ?? 0),
                show.Sum(e => e.Event.Watch.Length?.ToTimeSpan().TotalSeconds ?? 0),
                show.Min(e => e.Time),
                show.Max(e => e.Time),
                retracted: false));
        }

        Toggle(BehaviourKind.Save, e => e.Save?.ShowId, e => e.Unsave?.ShowId);
        Toggle(BehaviourKind.Like, e => e.Like?.ShowId, e => e.Dislike?.ShowId);
        Toggle(BehaviourKind.Dislike, e => e.Dislike?.ShowId, e => e.Like?.ShowId);

        foreach (var name in numbered.Where(e => e.Event.ProfileUpdate is not null).OrderBy(e => e.Time)
            .SelectMany(e => e.Event.ProfileUpdate.Attributes).GroupBy(a => a.Key))
        {
            if (name.Last().Value.Length > 0)
            {
                lines.Add($"attribute {name.Key}={name.Last().Value}");
            }
        }

        var scenarios = numbered.OrderBy(e => e.Time).Select(e => e.Event.ProfileUpdate?.Scenarios).LastOrDefault(s => s is { Count: > 0 });
        lines.Add($"scenarios {string.Join(',', scenarios ?? [])}");
        lines.Add($"last {numbered.Max(e => e.Time):O}");
        lines.Sort(StringComparer.Ordinal);
        return lines;

        void Toggle(BehaviourKind kind, Func<UserEvent, string?> on, Func<UserEvent, string?> off)
        {
            var touched = numbered
                .Select(e => (Show: on(e.Event) ?? off(e.Event), On: on(e.Event) is not null, e.Time, e.Order))
                .Where(e => e.Show is not null);
            foreach (var show in touched.GroupBy(e => e.Show!))
            {
                var newest = show.OrderBy(e => e.Time).ThenBy(e => e.Order).Last();
                lines.Add(Line(kind, show.Key, 1, 0, 0, show.Min(e => e.Time), newest.Time, !newest.On));
            }
        }
    }

    /// <summary>The same lines read off a stored state.</summary>
    public static List<string> Describe(UserState state)
    {
        var lines = state.Behaviours.Select(b => Line(
            b.Kind,
            b.ShowId,
            (int)b.Episodes,
            b.PlayedSeconds,
            b.LengthSeconds,
            b.FirstTime.ToDateTimeOffset(),
            b.LastTime.ToDateTimeOffset(),
            b.Retracted)).ToList();
        lines.AddRange(state.Attributes.Select(a => $"attribute {a.Key}={a.Value}"));
        lines.Add($"scenarios {string.Join(',', state.Scenarios)}");
        lines.Add($"last {state.LastEventTime.ToDateTimeOffset():O}");
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static string Line(
        BehaviourKind kind,
        string show,
        int episodes,
        double played,
        double length,
        DateTimeOffset first,
        DateTimeOffset last,
        bool retracted) =>
        $"{kind} {show} episodes={episodes} played={played:F3} length={length:F3} first={first:O} last={last:O} retracted={retracted}";
}
