using System.Globalization;
using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Simulation;

/// <summary>One user's days: sessions, and in each what is shown, picked, watched, saved and judged.</summary>
internal sealed class UserSimulation
{
    private const double BrowseOnly = 0.08;
    private const double AnotherTitle = 0.25;
    private const int MaxTitles = 3;
    private const double GlobalContinue = 0.6;
    private const double LocalContinue = 0.2;
    private const double FromSaved = 0.2;
    private const double SaveShown = 0.05;
    private const double UnsaveWatched = 0.4;
    private const double LikeBest = 0.15;
    private const double DislikeWorst = 0.12;
    private const int ForgottenAfterDays = 12;

    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(8);

    // Hours relative to the user's evening: mornings and lunch are small, the evening is large.
    private static readonly double[] HourWeights =
        [0.1, 0.05, 0.02, 0.02, 0.02, 0.05, 0.2, 0.4, 0.4, 0.3, 0.3, 0.4, 0.6, 0.5, 0.4, 0.4, 0.5, 0.8, 1.2, 2, 2.6, 2.2, 1.2, 0.5];

    private readonly SimWorld world;
    private readonly SimUser user;
    private readonly SimRandom random;
    private readonly ShowChoice choice;
    private readonly List<UserAction> actions = [];
    private readonly List<Begun> begun = [];
    private readonly List<SimShow> saved = [];

    private DateTimeOffset clock;
    private string device = "";
    private string scenario = "";

    private UserSimulation(SimWorld world, SimUser user)
    {
        this.world = world;
        this.user = user;
        random = new SimRandom(world.Options.Seed, SimStream.Behaviour, user.Index);
        choice = new ShowChoice(world, user, random);
        clock = world.Options.Start;
    }

    public static UserLog Run(SimWorld world, SimUser user)
    {
        var simulation = new UserSimulation(world, user);
        for (var day = user.JoinDay; day < world.Options.Days; day++)
        {
            simulation.Day(day);
            user.NextDay(simulation.random);
        }

        return new UserLog(user.Profile, simulation.actions);
    }

    private void Day(int day)
    {
        var midnight = world.Options.Start.AddDays(day);
        var isWeekend = midnight.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        var starts = new DateTimeOffset[random.Poisson(user.SessionsPerDay * (isWeekend ? 1.3 : 0.88))];
        for (var i = 0; i < starts.Length; i++)
        {
            var hour = (random.Weighted(HourWeights) + user.Evening - 20 + 24) % 24;
            starts[i] = midnight.AddHours(hour).AddSeconds(random.Below(3600));
        }

        Array.Sort(starts);
        foreach (var start in starts)
        {
            Session(day, start);
        }
    }

    private void Session(int day, DateTimeOffset start)
    {
        var isLocal = random.Chance(user.LocalShare);
        var category = random.Weighted(user.CategoryShares);
        start = Later(start, clock.AddMinutes(1 + random.Below(10)));
        Broadcast? broadcast = null;
        if (category == SimWorld.Live)
        {
            broadcast = choice.Live(day, start, isLocal);
            start = broadcast?.Start.AddSeconds(random.Below(900)) ?? start;
            category = broadcast is null ? SimWorld.Series : category;
        }

        if (start >= world.Options.Start.AddDays(day + 1) || start >= world.Options.End)
        {
            return;
        }

        device = Population.Devices[random.Weighted(user.DeviceShares)];
        scenario = (user.IsLiveSubscriber ? "live-" : "vod-") + (isLocal ? "local" : "global");
        clock = start;
        Emit(new UserAction(ActionKind.Login, clock));
        if (broadcast is { } live)
        {
            WatchLive(live, isLocal);
            return;
        }

        for (var title = 0; title < MaxTitles; title++)
        {
            if (Pick(category, isLocal) is not { } show || !WatchOnDemand(show) || !random.Chance(AnotherTitle))
            {
                return;
            }
        }
    }

    // What to watch on demand: something begun, something saved, or something new out of what is shown.
    private SimShow? Pick(int category, bool isLocal)
    {
        begun.RemoveAll(b => (clock - b.Last).TotalDays > ForgottenAfterDays || !b.Show.IsAvailable(clock));
        var open = begun.FindAll(b => b.Show.Category == category);
        if (open.Count > 0 && random.Chance(isLocal ? LocalContinue : GlobalContinue))
        {
            // The latest draws most.
            return open[random.Weighted([.. open.Select(b => 1 / (0.2 + (clock - b.Last).TotalDays))])].Show;
        }

        var kept = saved.FindAll(s => s.Category == category && s.IsAvailable(clock) && !choice.Seen.Contains(s.Index));
        if (kept.Count > 0 && random.Chance(FromSaved))
        {
            return random.Of(kept);
        }

        // The first one drawn is the one that is opened: opening follows the same taste as the draw.
        var slate = choice.Slate(category, isLocal ? 3 + random.Below(4) : 1 + random.Below(3), isLocal, clock);
        if (slate.Count == 0)
        {
            return null;
        }

        var opened = random.Chance(BrowseOnly) ? null : slate[0];
        foreach (var show in slate.OrderBy(_ => random.Uniform()).ToList())
        {
            clock += Glance;
            Emit(new UserAction(ActionKind.Impression, clock) { ShowId = show.Show.Id, Clicked = show == opened });
            if (show != opened && !saved.Contains(show) && random.Chance(SaveShown))
            {
                saved.Add(show);
                Emit(new UserAction(ActionKind.Save, clock) { ShowId = show.Show.Id });
            }
        }

        return opened;
    }

    private void WatchLive(Broadcast broadcast, bool isLocal)
    {
        var show = broadcast.Show;
        if (isLocal || random.Chance(0.5))
        {
            clock += Glance;
            Emit(new UserAction(ActionKind.Impression, clock) { ShowId = show.Show.Id, Clicked = true });
        }

        var engagement = Engagement(show);
        var left = broadcast.Start + broadcast.Length - clock;
        var part = Abandons(engagement) ? 0 : random.Chance(engagement) ? random.Uniform(0.8, 1) : random.Uniform(0.1, 0.8);
        var played = part > 0 ? left * part : TimeSpan.FromSeconds(20 + random.Below(90));
        var episode = broadcast.Start.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

        // How long a broadcast will last is not known to the player.
        if (Watch(show, episode, played, length: null))
        {
            choice.Seen.Add(show.Index);
            Judge(show, engagement);
        }
    }

    private bool WatchOnDemand(SimShow show)
    {
        choice.Seen.Add(show.Index);
        var engagement = Engagement(show);
        var entry = begun.Find(b => b.Show == show);
        var episode = entry?.Episode ?? 0;
        begun.RemoveAll(b => b.Show == show);
        var isPhone = device == "phone";
        while (true)
        {
            var length = Length(show, episode);
            var abandons = Abandons(engagement);
            var completes = !abandons && random.Chance(0.35 + (0.6 * engagement));
            var played = abandons
                ? TimeSpan.FromSeconds(20 + random.Below(90))
                : length * (completes ? random.Uniform(0.92, 1) : random.Uniform(0.1, 0.9));
            var id = show.Category == SimWorld.Series ? show.EpisodeId(episode) : null;
            if (!Watch(show, id, Earlier(played, length), length))
            {
                return false;
            }

            episode += completes ? 1 : 0;
            var isOver = episode == show.EpisodeCount;
            if (!completes || isOver || !random.Chance(user.Binge * engagement * (isPhone ? 0.6 : 1.2)))
            {
                if (!isOver && !abandons)
                {
                    begun.Add(new Begun(show, episode, clock));
                }

                break;
            }
        }

        Judge(show, engagement);
        if (saved.Contains(show) && random.Chance(UnsaveWatched))
        {
            saved.Remove(show);
            Emit(new UserAction(ActionKind.Unsave, clock) { ShowId = show.Show.Id });
        }

        return clock < world.Options.End;
    }

    /// <summary>Plays, if it ends within the days and while the show is available; told when it ends.</summary>
    private bool Watch(SimShow show, string? episodeId, TimeSpan played, TimeSpan? length)
    {
        // Players count whole seconds.
        played = TimeSpan.FromSeconds(Math.Floor(played.TotalSeconds));
        var end = clock + Glance + played;
        if (end >= world.Options.End || !show.IsAvailable(end))
        {
            return false;
        }

        clock = end;
        Emit(new UserAction(ActionKind.Watch, clock)
        {
            ShowId = show.Show.Id,
            EpisodeId = episodeId,
            Played = played,
            Length = length,
        });
        return true;
    }

    private void Judge(SimShow show, double engagement)
    {
        var kind = random.Chance(LikeBest * engagement * engagement) ? ActionKind.Like
            : random.Chance(DislikeWorst * (1 - engagement) * (1 - engagement)) ? ActionKind.Dislike
            : (ActionKind?)null;
        if (kind is { } judged)
        {
            Emit(new UserAction(judged, clock) { ShowId = show.Show.Id });
        }
    }

    // A session that runs over the last midnight is cut there.
    private void Emit(UserAction action)
    {
        if (action.Time < world.Options.End)
        {
            actions.Add(action with
            {
                Device = device,
                Scenario = action.Kind == ActionKind.Login ? null : scenario,
            });
        }
    }

    private double Engagement(SimShow show) => SimMath.Sigmoid(choice.Affinity(show) - 0.5 + (0.3 * random.Normal()));

    private bool Abandons(double engagement) => random.Chance(0.3 * (1 - engagement));

    // Episodes of a show differ by some minutes, and each has the same length for everyone.
    private static TimeSpan Length(SimShow show, int episode) =>
        show.Category == SimWorld.Series
            ? show.Length + TimeSpan.FromSeconds(((episode * 37) + (show.Index * 101)) % 240)
            : show.Length;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed record Begun(SimShow Show, int Episode, DateTimeOffset Last);
}
