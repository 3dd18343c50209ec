using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Tests.Support;

/// <summary>
/// A small service with something to learn: shows come in genres, users keep to one, and within a genre what is watched
/// next follows from what was watched last.
/// </summary>
internal static class TinyWorld
{
    public const int Genres = 4;
    public const int ShowsOfGenre = 12;

    public static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    /// <summary>A narrow model of all parts for it, without dropout.</summary>
    public static M5Config Config { get; } = M5Config.Small with
    {
        Name = "tiny",
        Width = 16,
        TagWidth = 8,
        FieldWidth = 4,
        ScenarioWidth = 8,
        Layers = 2,
        HeadWidth = 8,
        FeedForward = 2,
        SinHidden = [12],
        Experts = 3,
        ExpertWidth = 16,
        Hidden = 24,
        MaxLength = 10,
        InputDropout = 0,
        InterestStart = 0.2,
        EncoderDropout = 0,
    };

    public static Dataset Create(int users = 60, int seed = 1)
    {
        var random = new Random(seed);
        var shows = Enumerable.Range(0, Genres * ShowsOfGenre).Select(NewShow).ToList();
        return new Dataset(
            shows,
            [
                new Scenario("everything"),
                new Scenario("on-demand") { PoolCategories = [ShowCategory.Series, ShowCategory.Movie] },
            ],
            [.. Enumerable.Range(0, users).Select(u => NewLog(u, shows, random))]);
    }

    /// <summary>All that a user did.</summary>
    public static UserHistory HistoryOf(UserLog log, int actions = int.MaxValue)
    {
        var history = UserHistories.Start(log.User);
        foreach (var action in log.Actions.Take(actions))
        {
            history.Apply(action);
        }

        return history;
    }

    private static Show NewShow(int i)
    {
        var genre = i / ShowsOfGenre;
        return new Show($"show-{i}", (ShowCategory)(1 + (i % 3)))
        {
            Title = $"Title {i}",
            Tags = [$"genre-{genre}", $"theme-{i % 5}"],
            Cast = [$"actor-{i / 4}"],
            ReleaseYear = 2000 + genre,
        };
    }

    private static UserLog NewLog(int u, List<Show> shows, Random random)
    {
        var genre = u % Genres;
        var profile = new UserProfile($"user-{u}")
        {
            Attributes = new Dictionary<string, string> { ["age"] = (u % 3) switch { 0 => "young", 1 => "middle", _ => "old" } },
            Scenarios = u % 3 == 0 ? [] : u % 3 == 1 ? ["everything"] : ["everything", "on-demand"],
        };
        var time = Start.AddHours(random.Next(24 * 5));
        var actions = new List<UserAction> { new(ActionKind.Login, time) { Device = u % 2 == 0 ? "tv" : "phone" } };
        var at = random.Next(ShowsOfGenre);
        for (var i = 0; i < 7; i++)
        {
            time = time.AddMinutes(random.Next(20, 1500));
            var show = shows[(genre * ShowsOfGenre) + at];
            actions.Add(new UserAction(ActionKind.Watch, time)
            {
                ShowId = show.Id,
                EpisodeId = show.Category == ShowCategory.Series ? $"e{random.Next(4)}" : null,
                Played = random.Next(10) == 0 ? TimeSpan.FromSeconds(40) : TimeSpan.FromMinutes(random.Next(5, 50)),
                Length = TimeSpan.FromMinutes(50),
                Device = random.Next(2) == 0 ? "tv" : "phone",
                Scenario = show.Category == ShowCategory.Live || random.Next(2) == 0 ? "everything" : null,
            });
            var other = random.Next(8) switch
            {
                0 => new UserAction(ActionKind.Like, time.AddMinutes(1)) { ShowId = show.Id },
                1 => new UserAction(ActionKind.Save, time.AddMinutes(1)) { ShowId = shows[random.Next(shows.Count)].Id },
                2 => new UserAction(ActionKind.Dislike, time.AddMinutes(1)) { ShowId = shows[random.Next(shows.Count)].Id },
                3 => new UserAction(ActionKind.Login, time.AddMinutes(1)),
                _ => null,
            };
            if (other is not null)
            {
                actions.Add(other);
            }

            at = (at + 1) % ShowsOfGenre;
        }

        return new UserLog(profile, actions);
    }
}
