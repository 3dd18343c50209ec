using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Tests.Support;

/// <summary>Datasets with every kind of action and awkward texts, from a seed.</summary>
internal static class RandomDataset
{
    private static readonly string[] Texts =
        ["", "a", "Ümläut", "\"quoted\" \\ back", "line\nfeed\ttab", "日本語", "😀", "</script>", "\u0001\u007f\u2028", "null"];

    public static Dataset Create(int seed)
    {
        var random = new Random(seed);
        var shows = Enumerable.Range(0, random.Next(1, 8)).Select(i => NewShow(random, i)).ToList();
        var scenarios = Enumerable.Range(0, random.Next(1, 4)).Select(i => new Scenario("s-" + i)
        {
            Description = Text(random),
            PoolCategories = [.. Enum.GetValues<ShowCategory>().Where(_ => random.Next(2) == 0)],
        }).ToList();
        var users = Enumerable.Range(0, random.Next(0, 5)).Select(i => new UserProfile($"u{i}{Text(random)}")
        {
            Attributes = Attributes(random, allowEmpty: false),
            Scenarios = Some(random, scenarios),
        }).ToList();
        return new Dataset(shows, scenarios, [.. users.Select(user => new UserLog(user, NewLog(random, shows, scenarios)))]);
    }

    /// <summary>The content by another way than the one under test; attributes have no order.</summary>
    public static string Describe(Dataset dataset) => System.Text.Json.JsonSerializer.Serialize(dataset with
    {
        Users = [.. dataset.Users.Select(log => log with
        {
            User = log.User with
            {
                Attributes = new SortedDictionary<string, string>(
                    log.User.Attributes.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            },
        })],
    });

    private static Show NewShow(Random random, int i) => new($"show {i}{Text(random)}", (ShowCategory)random.Next(1, 4))
    {
        Title = Text(random),
        Tags = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
        Cast = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
        Description = Text(random),
        ReleaseYear = random.Next(2) == 0 ? null : random.Next(1, 3000),
        AvailableFrom = random.Next(2) == 0 ? null : Time(random),
        AvailableUntil = random.Next(2) == 0 ? null : Time(random).AddYears(2),
        Directors = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
        Brands = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
    };

    private static List<UserAction> NewLog(Random random, List<Show> shows, List<Scenario> scenarios) =>
        [.. Enumerable.Range(0, random.Next(12)).Select(_ => NewAction(random, shows, scenarios)).OrderBy(a => a.Time)];

    private static UserAction NewAction(Random random, List<Show> shows, List<Scenario> scenarios)
    {
        var kind = (ActionKind)random.Next(1, 10);
        var isAboutShow = kind is not (ActionKind.Login or ActionKind.ProfileUpdate or ActionKind.DeleteUser);
        var isWatch = kind == ActionKind.Watch;
        return new UserAction(kind, Time(random))
        {
            ShowId = isAboutShow ? shows[random.Next(shows.Count)].Id : null,
            EpisodeId = isWatch ? NullIfEmpty(Text(random)) : null,
            Played = isWatch ? Duration(random) : null,
            Length = isWatch ? Duration(random) : null,
            Scenario = random.Next(2) == 0 ? null : scenarios[random.Next(scenarios.Count)].Id,
            Device = NullIfEmpty(Text(random)),
            Clicked = kind == ActionKind.Impression && random.Next(2) == 0,
            Attributes = kind == ActionKind.ProfileUpdate ? NullIfNone(Attributes(random, allowEmpty: true)) : null,
            Scenarios = kind == ActionKind.ProfileUpdate && Some(random, scenarios) is { Length: > 0 } some ? some : null,
        };
    }

    private static string Text(Random random) => Texts[random.Next(Texts.Length)];

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static SortedDictionary<string, string> Attributes(Random random, bool allowEmpty)
    {
        var attributes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = random.Next(4); i > 0; i--)
        {
            attributes["k" + Text(random)] = allowEmpty ? Text(random) : "v" + Text(random);
        }

        return attributes;
    }

    private static SortedDictionary<string, string>? NullIfNone(SortedDictionary<string, string> map) =>
        map.Count == 0 ? null : map;

    private static string[] Some(Random random, List<Scenario> scenarios) =>
        [.. scenarios.Select(s => s.Id).Where(_ => random.Next(2) == 0)];

    // Few distinct times, of every precision, so that ties are common.
    private static DateTimeOffset Time(Random random) =>
        DateTimeOffset.UnixEpoch.AddDays(20_000 + random.Next(3)).AddTicks(random.Next(5) switch
        {
            0 => 0,
            1 => 12_0000000,
            2 => 1230000,
            3 => 1234560,
            _ => 1234567,
        });

    private static TimeSpan? Duration(Random random) => random.Next(5) switch
    {
        0 => null,
        1 => TimeSpan.Zero,
        2 => TimeSpan.FromSeconds(random.Next(10_000)),
        3 => TimeSpan.FromMilliseconds(random.Next(10_000)),
        _ => TimeSpan.FromTicks(random.NextInt64(1L << 40)),
    };
}
