using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Data.Simulation;

public sealed class SimulatedWorldTests
{
    // One world for the tests of structure; large enough for their statistics.
    private static readonly Lazy<Dataset> Medium = new(() => SimulatedWorld.Generate(MediumOptions));

    private static readonly SimulationOptions MediumOptions = new() { Shows = 800, Users = 600, Seed = 7 };

    [Fact]
    public void The_same_options_give_the_same_world_on_every_machine()
    {
        // Recorded: a change of this value is a change of every world, and of every figure measured on one.
        const string Recorded = "sha256:84a61174c0cc566490c9d91e97e8a65eb136a8004986dd5696bcd1daa972e2d3";
        var dataset = SimulatedWorld.Generate(SimulationOptions.Tiny);
        Assert.Equal(dataset.Fingerprint(), SimulatedWorld.Generate(SimulationOptions.Tiny).Fingerprint());
        Assert.Equal(Recorded, dataset.Fingerprint());
        Assert.NotEqual(Recorded, SimulatedWorld.Generate(SimulationOptions.Tiny with { Seed = 2 }).Fingerprint());
    }

    [Fact]
    public void Every_world_keeps_its_own_rules() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var options = new SimulationOptions
            {
                Seed = (ulong)random.NextInt64(),
                Shows = random.Next(12, 150),
                Users = random.Next(1, 25),
                Days = random.Next(2, 12),
                Start = new DateTimeOffset(2000 + random.Next(50), 1 + random.Next(12), 1, 0, 0, 0, TimeSpan.Zero),
                SessionsPerDay = random.NextDouble() * 3 + 0.01,
                LocalShare = random.NextDouble(),
                LiveSubscriberShare = random.NextDouble(),
                LateReleaseShare = random.NextDouble(),
            };
            CheckRules(SimulatedWorld.Generate(options), options);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_medium_world_keeps_its_rules_too() => CheckRules(Medium.Value, MediumOptions);

    [Fact]
    public void A_world_survives_its_files()
    {
        using var directory = new TempDirectory();
        var dataset = SimulatedWorld.Generate(SimulationOptions.Tiny);
        DatasetFiles.Write(dataset, directory.Path);
        Assert.Equal(dataset.Fingerprint(), DatasetFiles.Read(directory.Path).Fingerprint());
    }

    [Theory]
    [InlineData("Shows")]
    [InlineData("Users")]
    [InlineData("Days")]
    [InlineData("SessionsPerDay")]
    [InlineData("LocalShare")]
    [InlineData("LiveSubscriberShare")]
    [InlineData("LateReleaseShare")]
    [InlineData("Start")]
    public void An_option_out_of_range_is_named(string option)
    {
        var tiny = SimulationOptions.Tiny;
        var wrong = option switch
        {
            "Shows" => tiny with { Shows = 11 },
            "Users" => tiny with { Users = 0 },
            "Days" => tiny with { Days = 1 },
            "SessionsPerDay" => tiny with { SessionsPerDay = double.NaN },
            "LocalShare" => tiny with { LocalShare = -0.1 },
            "LiveSubscriberShare" => tiny with { LiveSubscriberShare = 1.1 },
            "LateReleaseShare" => tiny with { LateReleaseShare = 2 },
            _ => tiny with { Start = tiny.Start.AddHours(1) },
        };
        var error = Assert.Throws<ArgumentException>(() => SimulatedWorld.Generate(wrong));
        Assert.StartsWith(option + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains("must be", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shows_that_share_tags_are_watched_by_the_same_users_far_above_chance()
    {
        var dataset = Medium.Value;
        var viewers = Watches(dataset)
            .GroupBy(w => w.Show.Id, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Select(w => w.User.Id).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var shows = dataset.Shows.Where(s => s.Category == ShowCategory.Series && viewers.GetValueOrDefault(s.Id)?.Count >= 5).ToList();
        double sharedPairs = 0, sharedExpected = 0, otherPairs = 0, otherExpected = 0;
        for (var i = 0; i < shows.Count; i++)
        {
            for (var j = i + 1; j < shows.Count; j++)
            {
                var together = viewers[shows[i].Id].Count(viewers[shows[j].Id].Contains);
                var expected = (double)viewers[shows[i].Id].Count * viewers[shows[j].Id].Count / dataset.Users.Count;
                if (shows[i].Tags.Intersect(shows[j].Tags, StringComparer.Ordinal).Any())
                {
                    (sharedPairs, sharedExpected) = (sharedPairs + together, sharedExpected + expected);
                }
                else
                {
                    (otherPairs, otherExpected) = (otherPairs + together, otherExpected + expected);
                }
            }
        }

        var ratio = (sharedPairs / sharedExpected) / (otherPairs / otherExpected);
        Assert.True(ratio > 1.3, $"pairs that share a tag are watched together {ratio:F2} times as often, for their popularity, as others");
    }

    [Fact]
    public void A_users_tastes_in_two_categories_are_related_but_not_the_same()
    {
        var dataset = Medium.Value;
        List<double> within = [], across = [], strangers = [];
        double[]? movieOfTheOneBefore = null;
        foreach (var log in dataset.Users)
        {
            var own = FirstWatches(dataset, log);
            var series = own.Where(s => s.Category == ShowCategory.Series).ToList();
            var movies = own.Where(s => s.Category == ShowCategory.Movie).ToList();
            if (series.Count < 8 || movies.Count < 4)
            {
                continue;
            }

            within.Add(Cosine(Genres(series.Where((_, i) => i % 2 == 0)), Genres(series.Where((_, i) => i % 2 == 1))));
            across.Add(Cosine(Genres(series.Where((_, i) => i % 2 == 0)), Genres(movies)));
            if (movieOfTheOneBefore is not null)
            {
                strangers.Add(Cosine(Genres(series.Where((_, i) => i % 2 == 0)), movieOfTheOneBefore));
            }

            movieOfTheOneBefore = Genres(movies);
        }

        Assert.True(within.Count > 50, $"{within.Count} users");
        Assert.True(within.Average() > across.Average() + 0.1, $"{within.Average():F2} within a category, {across.Average():F2} across");
        Assert.True(across.Average() > strangers.Average() + 0.05, $"{across.Average():F2} across, {strangers.Average():F2} between strangers");
    }

    [Fact]
    public void Interests_shift_over_the_weeks()
    {
        var dataset = SimulatedWorld.Generate(MediumOptions with { SessionsPerDay = 3, Users = 200 });
        List<double> near = [], far = [];
        foreach (var log in dataset.Users)
        {
            var weeks = Enumerable.Range(0, 4).Select(week => Genres(FirstWatches(dataset, log, from: week * 7.5, to: (week + 1) * 7.5))).ToList();
            if (weeks.TrueForAll(week => week.Sum() >= 6))
            {
                near.Add((Cosine(weeks[0], weeks[1]) + Cosine(weeks[2], weeks[3])) / 2);
                far.Add(Cosine(weeks[0], weeks[3]));
            }
        }

        Assert.True(near.Count > 50, $"{near.Count} users");
        Assert.True(near.Average() > far.Average() + 0.03, $"{near.Average():F2} from week to week, {far.Average():F2} from first to last");
    }

    [Fact]
    public void Local_scenarios_are_a_minority_and_lead_to_less_popular_shows()
    {
        var dataset = Medium.Value;
        var watches = Watches(dataset).ToList();
        var popularity = watches.CountBy(w => w.Show.Id, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        foreach (var subscription in (string[])["vod", "live"])
        {
            var local = watches.Where(w => w.Action.Scenario == subscription + "-local").ToList();
            var global = watches.Where(w => w.Action.Scenario == subscription + "-global").ToList();
            Assert.InRange((double)local.Count / (local.Count + global.Count), 0.1, 0.4);
            var (l, g) = (Median(local), Median(global));
            Assert.True(l < 0.9 * g, $"{subscription}: a local watch is of a show with {l} watches, a global one with {g}");
        }

        double Median(List<(UserProfile User, UserAction Action, Show Show)> of) =>
            of.Select(w => popularity[w.Show.Id]).Order().ElementAt(of.Count / 2);
    }

    [Fact]
    public void Some_shows_are_first_available_and_watched_on_the_last_day()
    {
        var dataset = Medium.Value;
        var cold = dataset.Shows.Where(s => s.AvailableFrom == MediumOptions.Start.AddDays(30)).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        Assert.InRange(cold.Count, 2, 40);
        Assert.Contains(Watches(dataset), w => cold.Contains(w.Show.Id));
    }

    [Fact]
    public void Series_are_binged_live_events_come_again_and_every_kind_of_action_occurs()
    {
        var dataset = Medium.Value;
        var kinds = dataset.Users.SelectMany(u => u.Actions).CountBy(a => a.Kind).ToDictionary();
        Assert.Equal(
            [ActionKind.Login, ActionKind.Watch, ActionKind.Save, ActionKind.Unsave, ActionKind.Like, ActionKind.Dislike, ActionKind.Impression],
            kinds.Keys.Order());
        Assert.All(kinds, k => Assert.True(k.Value > 50, $"{k.Value} of {k.Key}"));

        var watches = Watches(dataset).ToList();
        var binged = watches
            .Where(w => w.Show.Category == ShowCategory.Series)
            .GroupBy(w => (w.User.Id, w.Show.Id, w.Action.Time.Date))
            .Count(g => g.Count() >= 3);
        Assert.True(binged > 100, $"{binged} evenings of three episodes or more");
        var habits = watches
            .Where(w => w.Show.Category == ShowCategory.Live)
            .GroupBy(w => (w.User.Id, w.Show.Id))
            .Count(g => g.Select(w => w.Action.EpisodeId).Distinct(StringComparer.Ordinal).Count() >= 3);
        Assert.True(habits > 100, $"{habits} users and live programmes of three broadcasts or more");
        var short2 = watches.Count(w => w.Action.Played < ShowBehaviour.WatchedAfter);
        Assert.InRange((double)short2 / watches.Count, 0.01, 0.25);
    }

    [Fact]
    public void The_profile_tells_a_little_of_taste()
    {
        // Weakly: it takes many users to see it.
        var dataset = SimulatedWorld.Generate(MediumOptions with { Users = 2500, Days = 12 });
        var women = Halves("F");
        var men = Halves("M");
        var distanceWithin = 1 - ((Cosine(women[0], women[1]) + Cosine(men[0], men[1])) / 2);
        var distanceBetween = 1 - ((Cosine(women[0], men[1]) + Cosine(men[0], women[1])) / 2);
        Assert.True(distanceBetween > 1.5 * distanceWithin, $"{distanceBetween:F4} between, {distanceWithin:F4} within groups");

        double[][] Halves(string gender) => [.. Enumerable.Range(0, 2).Select(half => Genres(dataset.Users
            .Where(u => u.User.Attributes.GetValueOrDefault("gender") == gender)
            .Where((_, i) => i % 2 == half)
            .SelectMany(u => FirstWatches(dataset, u))))];
    }

    private static void CheckRules(Dataset dataset, SimulationOptions options)
    {
        // Known ids, times that ascend, fields that fit the actions: the writer's own checks.
        dataset.Fingerprint();
        Assert.Equal((options.Shows, options.Users), (dataset.Shows.Count, dataset.Users.Count));
        Assert.Equal(["vod-local", "live-local", "vod-global", "live-global"], dataset.Scenarios.Select(s => s.Id));
        Assert.Equal(3, dataset.Shows.Select(s => s.Category).Distinct().Count());
        Assert.All(dataset.Shows, show =>
        {
            Assert.NotEmpty(show.Tags);
            Assert.NotEmpty(show.Cast);
            Assert.NotEmpty(show.Title);
            Assert.NotEmpty(show.Description);
            Assert.NotNull(show.ReleaseYear);
            Assert.True(show.AvailableFrom is null || (show.AvailableFrom > options.Start && show.AvailableFrom < options.End));
        });

        var scenarios = dataset.Scenarios.ToDictionary(s => s.Id, StringComparer.Ordinal);
        var shows = dataset.Shows.ToDictionary(s => s.Id, StringComparer.Ordinal);
        foreach (var (user, actions) in dataset.Users)
        {
            Assert.Equal(2, user.Scenarios.Count);
            var saved = new HashSet<string>(StringComparer.Ordinal);
            foreach (var action in actions)
            {
                Assert.InRange(action.Time, options.Start, options.End.AddTicks(-1));
                Assert.NotNull(action.Device);
                if (action.Kind == ActionKind.Login)
                {
                    continue;
                }

                var show = shows[action.ShowId!];
                Assert.Contains(action.Scenario, user.Scenarios);
                Assert.True(scenarios[action.Scenario!].Admits(show), $"{show.Id} in {action.Scenario}");
                Assert.True(show.AvailableFrom is null || action.Time >= show.AvailableFrom, $"{show.Id} at {action.Time:o}");
                switch (action.Kind)
                {
                    case ActionKind.Watch:
                        Assert.True(show.AvailableUntil is null || action.Time < show.AvailableUntil, $"{show.Id} at {action.Time:o}");
                        Assert.True(action.Played >= TimeSpan.Zero);
                        Assert.Equal(show.Category == ShowCategory.Live, action.Length is null);
                        Assert.True(action.Length is null || action.Played <= action.Length, $"{action.Played} of {action.Length}");
                        Assert.Equal(show.Category == ShowCategory.Movie, action.EpisodeId is null);
                        break;
                    case ActionKind.Save:
                        Assert.True(saved.Add(show.Id));
                        break;
                    case ActionKind.Unsave:
                        Assert.True(saved.Remove(show.Id));
                        break;
                    default:
                        break;
                }
            }
        }
    }

    private static IEnumerable<(UserProfile User, UserAction Action, Show Show)> Watches(Dataset dataset)
    {
        var shows = dataset.Shows.ToDictionary(s => s.Id, StringComparer.Ordinal);
        return dataset.Users.SelectMany(log => log.Actions
            .Where(a => a.Kind == ActionKind.Watch)
            .Select(a => (log.User, a, shows[a.ShowId!])));
    }

    private static List<Show> FirstWatches(Dataset dataset, UserLog log, double from = 0, double to = double.MaxValue)
    {
        var shows = dataset.Shows.ToDictionary(s => s.Id, StringComparer.Ordinal);
        var start = MediumOptions.Start;
        return [.. log.Actions
            .Where(a => a.Kind == ActionKind.Watch)
            .DistinctBy(a => a.ShowId, StringComparer.Ordinal)
            .Where(a => (a.Time - start).TotalDays >= from && (a.Time - start).TotalDays < to)
            .Select(a => shows[a.ShowId!])];
    }

    // A show's first tag is its main genre.
    private static double[] Genres(IEnumerable<Show> shows)
    {
        var counts = new double[Theme.All.Length];
        foreach (var show in shows)
        {
            counts[Array.FindIndex(Theme.All, theme => theme.Genre == show.Tags[0])]++;
        }

        return counts;
    }

    private static double Cosine(double[] a, double[] b) =>
        a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(Math.Max(1e-9, a.Sum(x => x * x) * b.Sum(x => x * x)));
}
