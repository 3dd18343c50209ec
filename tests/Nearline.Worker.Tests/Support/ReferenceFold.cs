using System.Globalization;
using System.Text;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;

namespace Nearline.Worker.Tests.Support;

/// <summary>
/// What a user's past must be after a list of events, each counted once: computed from the whole list by its
/// definition, not folded step by step. Shows are either films (never an episode) or series (always one), and there
/// are fewer than the fold's bounds.
/// </summary>
internal static class ReferenceFold
{
    /// <summary>A text that is equal exactly when two pasts are.</summary>
    public static string Describe(IReadOnlyList<UserEventRecord> events)
    {
        DateTimeOffset? deletedAt = null;
        var alive = new List<(UserAction Action, ulong Order)>();
        var numbered = new List<(UserAction Action, ulong Order)>();
        ulong order = 0;
        foreach (var action in events.Select(e => e.Action))
        {
            if (deletedAt is { } deleted && action.Time <= deleted)
            {
                continue;
            }

            if (action.Kind == ActionKind.DeleteUser)
            {
                deletedAt = action.Time;
                alive.RemoveAll(n => n.Action.Time <= action.Time);
                numbered = [.. numbered.GroupBy(n => (Family(n.Action.Kind), n.Action.ShowId)).SelectMany(show => Since(show, action.Time))];
                order++;
                continue;
            }

            alive.Add((action, order));
            numbered.Add((action, order++));
        }

        var lines = new List<string>();
        foreach (var show in numbered.Where(n => n.Action.Kind == ActionKind.Watch).GroupBy(n => n.Action.ShowId!))
        {
            var latest = Latest(show);
            lines.Add(Line(
                BehaviourKind.Watch,
                show.Key,
                show.Select(n => n.Action.EpisodeId ?? "").Distinct().Count(),
                show.Sum(n => n.Action.Played?.TotalSeconds ?? 0),
                show.Sum(n => n.Action.Length?.TotalSeconds ?? 0),
                show.Min(n => n.Action.Time),
                latest.Action.Time,
                latest.Order,
                false));
        }

        AddStanding(lines, numbered, BehaviourKind.Save, ActionKind.Save, ActionKind.Unsave);
        AddStanding(lines, numbered, BehaviourKind.Like, ActionKind.Like, ActionKind.Dislike);
        AddStanding(lines, numbered, BehaviourKind.Dislike, ActionKind.Dislike, ActionKind.Like);
        DateTimeOffset? last = alive.Count == 0 ? null : alive.Max(n => n.Action.Time);
        alive = [.. alive.OrderBy(n => n.Action.Time).ThenBy(n => n.Order)];
        var device = alive.LastOrDefault(n => n.Action.Device is not null).Action?.Device;
        var attributes = alive.Where(n => n.Action.Kind == ActionKind.ProfileUpdate)
            .SelectMany(n => n.Action.Attributes!)
            .GroupBy(a => a.Key)
            .Select(g => (g.Key, g.Last().Value))
            .Where(a => a.Value.Length > 0);
        var scenarios = alive.Select(n => n.Action.Scenarios).LastOrDefault(s => s is { Count: > 0 }) ?? [];
        return Text(lines, last, device, deletedAt, attributes.Select(a => $"{a.Key}={a.Value}"), scenarios, order);
    }

    /// <summary>The same text for a folded history.</summary>
    public static string Describe(UserHistory history) => Text(
        [.. history.Behaviours.Select(b => Line(
            b.Kind, b.ShowId, b.Episodes, b.PlayedSeconds, b.LengthSeconds, b.FirstTime, b.LastTime, b.Order, b.Retracted))],
        history.LastEventTime,
        history.LastDevice,
        history.DeletedAt,
        history.Attributes.Select(a => $"{a.Key}={a.Value}"),
        history.Scenarios,
        history.NextOrder);

    /// <summary>Of a show that was met on both sides of a deletion nothing but the latest time is known.</summary>
    private static IEnumerable<(UserAction Action, ulong Order)> Since(IEnumerable<(UserAction Action, ulong Order)> show, DateTimeOffset deletion)
    {
        var later = show.Where(n => n.Action.Time > deletion).ToList();
        if (later.Count == 0 || later.Count == show.Count())
        {
            return later;
        }

        var latest = Latest(later);
        return [(latest.Action with { EpisodeId = null, Played = null, Length = null }, latest.Order)];
    }

    private static ActionKind Family(ActionKind kind) => kind switch
    {
        ActionKind.Unsave => ActionKind.Save,
        ActionKind.Dislike => ActionKind.Like,
        _ => kind,
    };

    private static void AddStanding(
        List<string> lines, List<(UserAction Action, ulong Order)> numbered, BehaviourKind kind, ActionKind done, ActionKind undone)
    {
        foreach (var show in numbered.Where(n => n.Action.Kind == done || n.Action.Kind == undone).GroupBy(n => n.Action.ShowId!))
        {
            var latest = Latest(show);
            lines.Add(Line(
                kind, show.Key, 1, 0, 0, show.Min(n => n.Action.Time), latest.Action.Time, latest.Order, latest.Action.Kind == undone));
        }
    }

    private static (UserAction Action, ulong Order) Latest(IEnumerable<(UserAction Action, ulong Order)> actions) =>
        actions.OrderBy(n => n.Action.Time).ThenBy(n => n.Order).Last();

    private static string Line(
        BehaviourKind kind, string show, int episodes, double played, double length, DateTimeOffset first, DateTimeOffset last, ulong order, bool retracted) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{kind} {show} episodes {episodes} played {played:F3} length {length:F3} {first:O}..{last:O} order {order} retracted {retracted}");

    private static string Text(
        List<string> lines, DateTimeOffset? last, string? device, DateTimeOffset? deletedAt, IEnumerable<string> attributes, IEnumerable<string> scenarios, ulong order)
    {
        var text = new StringBuilder();
        text.AppendJoin('\n', lines.Order(StringComparer.Ordinal)).AppendLine();
        text.Append(CultureInfo.InvariantCulture, $"last {last:O} device {device} deleted {deletedAt:O} order {order}\n");
        text.AppendJoin(',', attributes.Order(StringComparer.Ordinal)).AppendLine().AppendJoin(',', scenarios);
        return text.ToString();
    }
}
