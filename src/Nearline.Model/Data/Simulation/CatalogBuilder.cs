using System.Globalization;
using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Simulation;

/// <summary>Makes the catalog: franchises first, then shows that belong to them or stand alone.</summary>
internal sealed class CatalogBuilder
{
    private const double SeriesShare = 0.5;
    private const double MovieShare = 0.38;
    private const double FranchiseShare = 0.55;
    private const double WrongTagShare = 0.08;
    private const double RegionalShare = 0.3;
    private const double ExpiryShare = 0.06;
    private const double TrendShare = 0.05;

    private readonly SimulationOptions options;
    private readonly int themeCount;
    private readonly int personCount;
    private readonly Franchise[] franchises;

    private CatalogBuilder(SimulationOptions options)
    {
        this.options = options;
        themeCount = Math.Clamp(options.Shows / 10, 6, Theme.All.Length);
        personCount = Math.Max(24, options.Shows / 2);
        franchises = [.. Enumerable.Range(0, Math.Max(3, options.Shows / 12)).Select(NewFranchise)];
    }

    public static SimWorld Build(SimulationOptions options)
    {
        var builder = new CatalogBuilder(options);
        var shows = Enumerable.Range(0, options.Shows).Select(builder.NewShow).ToArray();
        var random = new SimRandom(options.Seed, SimStream.World);
        return new SimWorld
        {
            Options = options,
            ThemeCount = builder.themeCount,
            Shows = shows,
            ByTheme = [.. Enumerable.Range(0, SimWorld.Categories).Select(category =>
                Enumerable.Range(0, builder.themeCount).Select(theme =>
                    shows.Where(s => s.Category == category && s.Themes.Any(t => t.Theme == theme)).ToArray()).ToArray())],
            LocalTilt = builder.Tilt(random),
            GlobalTilt = builder.Tilt(random),
            Broadcasts = Schedule(options, shows),
        };
    }

    private static Broadcast[][] Schedule(SimulationOptions options, SimShow[] shows)
    {
        var days = Enumerable.Range(0, options.Days).Select(_ => new List<Broadcast>()).ToArray();
        foreach (var show in shows.Where(s => s.Category == SimWorld.Live))
        {
            var random = new SimRandom(options.Seed, SimStream.World, 1 + show.Index);

            // A daily programme, a weekly fixture, or an event with a repeat a day later.
            var kind = random.Weighted([0.35, 0.5, 0.15]);
            var hour = kind == 0 ? random.Of<int>([7, 12, 18, 20, 22]) : random.Of<int>([14, 17, 19, 20, 21]);
            var first = kind == 0 ? 0 : random.Below(kind == 1 ? 7 : Math.Max(1, options.Days - 1));
            var every = kind switch { 0 => 1, 1 => 7, _ => 1 };
            var last = kind == 2 ? Math.Min(first + 1, options.Days - 1) : options.Days - 1;
            for (var day = first; day <= last; day += every)
            {
                days[day].Add(new Broadcast(show, options.Start.AddDays(day).AddHours(hour), show.Length));
            }
        }

        return [.. days.Select(day => day.OrderBy(b => b.Start).ThenBy(b => b.Show.Index).ToArray())];
    }

    private double[] Tilt(SimRandom random) =>
        [.. Enumerable.Range(0, themeCount).Select(_ => 0.4 * random.Normal())];

    private Franchise NewFranchise(int index)
    {
        var random = new SimRandom(options.Seed, SimStream.Franchise, index);
        var category = random.Chance(1 - SeriesShare - MovieShare) ? SimWorld.Live : random.Below(2);
        var theme = PickTheme(random, category);
        var hidden = Normals(random, 0.8);
        return new Franchise(
            category == SimWorld.Live,
            theme,
            PickTheme(random, category),
            $"{random.Of(Names.Adjectives)} {random.Of(Theme.All[theme].Nouns)}",
            [.. Enumerable.Range(0, 5).Select(_ => Person(random, theme))],
            hidden,
            0.5 * random.Normal());
    }

    private SimShow NewShow(int index)
    {
        var random = new SimRandom(options.Seed, SimStream.Show, index);

        // The first twelve shows hold each category four times, however small the world is.
        var category = index < 12 ? index % SimWorld.Categories : random.Weighted([SeriesShare, MovieShare, 1 - SeriesShare - MovieShare]);
        var franchise = random.Chance(FranchiseShare) ? random.Of(franchises) : null;
        franchise = franchise is not null && franchise.IsLive == (category == SimWorld.Live) ? franchise : null;
        var themes = Mix(random, category, franchise);
        var quality = random.Normal();
        var (from, until) = Availability(random, category, index);
        return new SimShow
        {
            Index = index,
            Category = category,
            Themes = themes,
            Hidden = [.. Normals(random, franchise is null ? 1 : 0.6).Select((x, i) => x + (franchise?.Hidden[i] ?? 0))],
            Quality = quality,
            Popularity = (0.9 * random.Normal()) + (0.3 * quality) + (franchise?.Popularity ?? 0),
            Region = random.Chance(RegionalShare) ? random.Below(Population.Regions.Length) : -1,
            Seasons = Seasons(random, category),
            Length = TimeSpan.FromMinutes(category switch
            {
                SimWorld.Series => random.Chance(0.5) ? 20 + random.Below(8) : 40 + random.Below(16),
                SimWorld.Movie => 80 + random.Below(70),
                _ => 30 * (1 + random.Below(6)),
            }),
            TrendDay = random.Chance(TrendShare) ? random.Below(options.Days) : -1,
            Show = Describe(random, index, category, themes, franchise, from, until),
        };
    }

    private static int[] Seasons(SimRandom random, int category) => category switch
    {
        SimWorld.Series => [.. Enumerable.Range(0, 1 + random.Poisson(1.2)).Select(_ => 6 + random.Below(9))],
        SimWorld.Movie => [1],
        _ => [],
    };

    private static double[] Normals(SimRandom random, double deviation) =>
        [.. Enumerable.Range(0, SimShow.HiddenDimensions).Select(_ => deviation * random.Normal())];

    private int PickTheme(SimRandom random, int category)
    {
        Span<double> weights = stackalloc double[themeCount];
        for (var theme = 0; theme < themeCount; theme++)
        {
            weights[theme] = Theme.All[theme].In(category);
        }

        return random.Weighted(weights);
    }

    private (int Theme, double Weight)[] Mix(SimRandom random, int category, Franchise? franchise)
    {
        var main = franchise?.Theme ?? PickTheme(random, category);
        var side = franchise is not null && random.Chance(0.7) ? franchise.SideTheme : PickTheme(random, category);
        if (side == main || random.Chance(0.3))
        {
            return [(main, 1)];
        }

        var weight = random.Uniform(0.55, 0.85);
        return [(main, weight), (side, 1 - weight)];
    }

    // People are known for a theme: an actor of one theme seldom plays in another.
    private string Person(SimRandom random, int theme)
    {
        var perTheme = Math.Max(1, personCount / themeCount);
        return Names.Person(random.Chance(0.8) ? (theme * perTheme) + random.Below(perTheme) : random.Below(personCount));
    }

    private (DateTimeOffset? From, DateTimeOffset? Until) Availability(SimRandom random, int category, int index)
    {
        var (isLate, onLastDay, leaves) = (random.Chance(options.LateReleaseShare), random.Chance(0.1), random.Chance(ExpiryShare));
        var day = 1 + random.Below(options.Days - 1);
        if (category == SimWorld.Live || index < 12)
        {
            return (null, null);
        }

        if (isLate)
        {
            return (options.Start.AddDays(onLastDay ? options.Days - 1 : day), null);
        }

        return leaves ? (null, options.Start.AddDays(Math.Max(day, options.Days / 2))) : (null, null);
    }

    private Show Describe(
        SimRandom random,
        int index,
        int category,
        (int Theme, double Weight)[] themes,
        Franchise? franchise,
        DateTimeOffset? from,
        DateTimeOffset? until)
    {
        var tags = new List<string>();
        foreach (var (theme, weight) in themes)
        {
            Add(Theme.All[theme].Genre);
            for (var count = weight > 0.5 ? 1 + random.Below(3) : random.Below(2); count > 0; count--)
            {
                var source = random.Chance(WrongTagShare) ? random.Below(themeCount) : theme;
                Add(random.Of(Theme.All[source].Tags));
            }
        }

        if (franchise is not null)
        {
            Add(franchise.Name + " universe");
        }

        var cast = new List<string>();
        for (var count = 2 + random.Below(3); count > 0; count--)
        {
            var person = franchise is not null && random.Chance(0.6)
                ? random.Of(franchise.Cast)
                : Person(random, themes[0].Theme);
            if (!cast.Contains(person))
            {
                cast.Add(person);
            }
        }

        var main = Theme.All[themes[0].Theme];
        var title = franchise is not null && random.Chance(0.7)
            ? $"{franchise.Name}: {random.Of(Names.Adjectives)} {random.Of(main.Nouns)}"
            : $"{random.Of(Names.Adjectives)} {random.Of(main.Nouns)}";
        var start = options.Start.Year;
        var age = (int)(random.Uniform() * random.Uniform() * 40);
        return new Show(
            string.Create(CultureInfo.InvariantCulture, $"{"sml"[category]}-{index:D5}"), (ShowCategory)(category + 1))
        {
            Title = title,
            Tags = tags,
            Cast = cast,
            Description = Synopsis(random, category, themes, cast),
            ReleaseYear = from?.Year ?? (category == SimWorld.Live ? start : start - age),
            AvailableFrom = from,
            AvailableUntil = until,
        };

        void Add(string tag)
        {
            if (!tags.Contains(tag))
            {
                tags.Add(tag);
            }
        }
    }

    // The text tells of the themes with words of its own draw: some that the tags have, some that they lack.
    private static string Synopsis(
        SimRandom random, int category, (int Theme, double Weight)[] themes, List<string> cast)
    {
        var main = Theme.All[themes[0].Theme];
        var side = Theme.All[themes[^1].Theme];
        var kind = category switch { SimWorld.Series => "series", SimWorld.Movie => "film", _ => "live programme" };
        var start = random.Below(main.Tags.Length);
        var (one, two) = (main.Tags[start], main.Tags[(start + 1 + random.Below(main.Tags.Length - 1)) % main.Tags.Length]);
        var other = side == main ? two : random.Of(side.Tags);
        string[] openings =
        [
            $"{Article(main.Genre)} {kind} about {one} and {other}.",
            $"From {one} to {two}: a {kind} for everyone who loves {main.Genre}.",
            $"Where {one} meets {other}, nothing stays as it was.",
        ];
        string[] endings =
        [
            $"With {cast[0]}.",
            $"{cast[0]} leads through a story of {two}.",
            $"{cast[^1]} is at their best where {side.Genre} begins.",
        ];
        return $"{random.Of(openings)} {random.Of(endings)}";
    }

    private static string Article(string noun) => ("aeiou".Contains(noun[0]) ? "An " : "A ") + noun;

    private sealed record Franchise(
        bool IsLive, int Theme, int SideTheme, string Name, string[] Cast, double[] Hidden, double Popularity);
}
