using Nearline.Contracts.Events.V1;

namespace Nearline.EndToEnd.Tests;

/// <summary>Which of a user's events renew sets, by their definition: an oracle beside the worker's own decision.</summary>
internal static class RenewingEvents
{
    private const double Watched = 120;

    /// <summary>The last of them, in the order given, which is that of their times.</summary>
    public static UserEvent Last(IEnumerable<UserEvent> events)
    {
        UserEvent? last = null;
        var played = new Dictionary<string, double>(StringComparer.Ordinal);
        var untold = new HashSet<string>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            var renews = e.Impression is null;
            if (e.Watch is { } watch)
            {
                var before = CountsAsWatched(watch.ShowId);
                var seconds = watch.Played?.ToTimeSpan().TotalSeconds;
                played[watch.ShowId] = played.GetValueOrDefault(watch.ShowId) + (seconds ?? 0);
                if (seconds is null)
                {
                    untold.Add(watch.ShowId);
                }

                renews = seconds is null or >= Watched || (!before && CountsAsWatched(watch.ShowId));
            }

            last = renews ? e : last;
        }

        return last ?? throw new InvalidOperationException("none of the events renews sets");

        bool CountsAsWatched(string show) =>
            played.TryGetValue(show, out var sum) && (untold.Contains(show) || sum is <= 0 or >= Watched);
    }
}
