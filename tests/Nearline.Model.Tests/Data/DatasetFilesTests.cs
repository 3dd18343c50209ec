using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Data;

public sealed class DatasetFilesTests
{
    private const string Shows = """{"showId":"a","category":"SHOW_CATEGORY_MOVIE"}""" + "\n";
    private const string Scenarios = """[{"id":"s"}]""";
    private const string Users = """{"userId":"u"}""" + "\n";
    private const string Event = """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","watch":{"showId":"a"}}""" + "\n";

    [Fact]
    public void A_dataset_that_was_written_is_read_back_whole() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            using var directory = new TempDirectory();
            var dataset = RandomDataset.Create(seed);
            DatasetFiles.Write(dataset, directory.Path);
            var read = DatasetFiles.Read(directory.Path);
            Assert.Equal(RandomDataset.Describe(dataset), RandomDataset.Describe(read));
            Assert.Equal(dataset.Fingerprint(), read.Fingerprint());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_same_dataset_gives_the_same_bytes_and_replaces_what_was_there()
    {
        using var first = new TempDirectory();
        using var second = new TempDirectory();
        DatasetFiles.Write(RandomDataset.Create(4), second.Path);
        foreach (var directory in new[] { first, second })
        {
            DatasetFiles.Write(RandomDataset.Create(3), directory.Path);
        }

        foreach (var file in Directory.GetFiles(first.Path))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(second[Path.GetFileName(file)]));
        }
    }

    [Fact]
    public void The_fingerprint_tells_datasets_apart_by_any_field()
    {
        var show = new Show("a", ShowCategory.Movie);
        var action = new UserAction(ActionKind.Watch, DateTimeOffset.UnixEpoch) { ShowId = "a" };
        var dataset = new Dataset([show], [new Scenario("s")], [new UserLog(new UserProfile("u"), [action])]);
        Dataset[] all =
        [
            dataset,
            dataset with { Shows = [show with { Title = "b" }] },
            dataset with { Shows = [show with { Cast = ["b"] }] },
            dataset with { Shows = [show with { Directors = ["b"] }] },
            dataset with { Shows = [show with { Brands = ["b"] }] },
            dataset with { Scenarios = [new Scenario("s") { PoolCategories = [ShowCategory.Movie] }] },
            dataset with { Users = [new UserLog(new UserProfile("u") { Scenarios = ["s"] }, [action])] },
            dataset with { Users = [new UserLog(new UserProfile("u"), [action with { Played = TimeSpan.Zero }])] },
            dataset with { Users = [new UserLog(new UserProfile("u"), [action with { Time = action.Time.AddTicks(1) }])] },
        ];
        Assert.Equal(all.Length, all.Select(d => d.Fingerprint()).Distinct().Count());
        Assert.Matches("^sha256:[0-9a-f]{64}$", dataset.Fingerprint());
    }

    [Fact]
    public void A_show_without_directors_and_brands_is_written_as_before_there_were_any()
    {
        using var directory = new TempDirectory();
        var show = new Show("a", ShowCategory.Movie) { Tags = ["t"], Cast = ["c"], ReleaseYear = 1999 };
        var dataset = new Dataset([show], [new Scenario("s")], []);
        DatasetFiles.Write(dataset, directory.Path);
        Assert.Equal(
            """{"showId":"a","category":"SHOW_CATEGORY_MOVIE","tags":["t"],"cast":["c"],"releaseYear":1999}""" + "\n",
            File.ReadAllText(directory["shows.jsonl"]));
        DatasetFiles.Write(dataset with { Shows = [show with { Directors = ["d"], Brands = ["b", "e"] }] }, directory.Path);
        Assert.EndsWith(
            ""","releaseYear":1999,"directors":["d"],"brands":["b","e"]}""" + "\n",
            File.ReadAllText(directory["shows.jsonl"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Events_are_sorted_by_time_then_by_the_users_place_then_in_the_users_own_order()
    {
        static UserAction At(int second, string show) =>
            new(ActionKind.Like, DateTimeOffset.UnixEpoch.AddSeconds(second)) { ShowId = show };

        var dataset = new Dataset(
            [new Show("a", ShowCategory.Movie), new Show("b", ShowCategory.Movie), new Show("c", ShowCategory.Movie)],
            [new Scenario("s")],
            [
                new UserLog(new UserProfile("z"), [At(1, "c"), At(1, "a"), At(3, "a")]),
                new UserLog(new UserProfile("y"), [At(0, "a"), At(1, "b")]),
            ]);
        Assert.Equal(
            ["ya", "zc", "za", "yb", "za"],
            dataset.EventsByTime().Select(e => e.UserId + e.Action.ShowId));
    }

    [Fact]
    public void Progress_ends_at_the_size_of_every_file()
    {
        using var directory = Valid();
        var last = new Dictionary<string, DatasetProgress>(StringComparer.Ordinal);
        DatasetFiles.Read(directory.Path, new Recorder(p => last[Path.GetFileName(p.File)] = p));
        Assert.Equal(["events.jsonl", "shows.jsonl", "users.jsonl"], last.Keys.Order(StringComparer.Ordinal));
        Assert.All(last.Values, p => Assert.Equal((p.TotalBytes, new FileInfo(p.File).Length), (p.Bytes, p.Bytes)));
    }

    [Fact]
    public void Lines_longer_than_the_read_buffer_and_lines_without_a_feed_are_read()
    {
        using var directory = Valid();
        var title = new string('x', 300_000);
        directory.Write("shows.jsonl", $$"""{"showId":"b","title":"{{title}}","category":"SHOW_CATEGORY_LIVE"}""" + "\r\n\r\n" + Shows.TrimEnd());
        var read = DatasetFiles.Read(directory.Path);
        Assert.Equal(["b", "a"], read.Shows.Select(s => s.Id));
        Assert.Equal(title, read.Shows[0].Title);
    }

    [Fact]
    public void Offsets_and_nanoseconds_are_understood()
    {
        using var directory = Valid();
        directory.Write("events.jsonl", """{"userId":"u","eventTime":"2026-11-22T02:30:00.123456789+01:00","watch":{"showId":"a","played":"0.000000199s"}}""");
        var action = DatasetFiles.Read(directory.Path).Users[0].Actions[0];
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 1, 30, 0, TimeSpan.Zero).AddTicks(1234567), action.Time);
        Assert.Equal(TimeSpan.FromTicks(1), action.Played);
    }

    public static TheoryData<string, string, string[]> WrongFiles() => new()
    {
        { "shows.jsonl", Shows + "{", ["shows.jsonl:2: not JSON"] },
        { "shows.jsonl", Shows + Shows, ["shows.jsonl:2: showId: 'a': given twice"] },
        { "shows.jsonl", "[]", ["shows.jsonl:1: []: must be an object"] },
        { "shows.jsonl", """{"showId":"a"}""", ["shows.jsonl:1: category: missing; one of SHOW_CATEGORY_SERIES"] },
        { "shows.jsonl", """{"category":"SHOW_CATEGORY_LIVE"}""", ["shows.jsonl:1: showId: missing"] },
        { "shows.jsonl", """{"showId":7,"category":"SHOW_CATEGORY_LIVE"}""", ["showId: 7: must be a text"] },
        { "shows.jsonl", """{"showId":"a","category":"film"}""", ["category: \"film\": must be one of SHOW_CATEGORY_SERIES"] },
        { "shows.jsonl", """{"showId":"a","showId":"b","category":"SHOW_CATEGORY_LIVE"}""", ["not JSON", "showId"] },
        { "shows.jsonl", """{"show_id":"a"}""", ["shows.jsonl:1: show_id: unknown field; showId, title"] },
        { "shows.jsonl", """{"showId":"\ud800","category":"SHOW_CATEGORY_LIVE"}""", ["shows.jsonl:1: showId: a text that is not valid"] },
        { "shows.jsonl", """{"showId":"a","category":"SHOW_CATEGORY_LIVE","tags":"x"}""", ["tags: \"x\": must be a list of texts"] },
        { "shows.jsonl", """{"showId":"a","category":"SHOW_CATEGORY_LIVE","releaseYear":1e20}""", ["releaseYear: 1e20: must be a whole number"] },
        { "shows.jsonl", """{"showId":"a","category":"SHOW_CATEGORY_LIVE","availableFrom":"2026-01-02T00:00:00Z","availableUntil":"2026-01-01T00:00:00Z"}""", ["availableUntil: 2026-01-01T00:00:00Z: not after"] },
        { "scenarios.json", "[]", ["scenarios.json: no scenario"] },
        { "scenarios.json", "{}", ["scenarios.json: {}: must be a list of scenarios"] },
        { "scenarios.json", """[{"id":"s"},{"id":"a b"}]""", ["scenarios.json[1]: id: 'a b': a scenario's id is"] },
        { "scenarios.json", """[{"id":"s","poolCategories":["x"]}]""", ["scenarios.json[0]: poolCategories: \"x\": must be one of"] },
        { "users.jsonl", Users + Users, ["users.jsonl:2: userId: 'u': given twice"] },
        { "users.jsonl", """{"userId":"u{1}"}""", ["userId: 'u{1}': neither"] },
        { "users.jsonl", """{"userId":"u","scenarios":["t"]}""", ["scenarios: 't': not a scenario of the dataset; one of s"] },
        { "users.jsonl", """{"userId":"u","attributes":{"age":7}}""", ["attributes['age']: 7: must be a text"] },
        { "events.jsonl", Event.Replace("\"u\"", "\"v\"", StringComparison.Ordinal), ["events.jsonl:1: userId: 'v': not a user of users.jsonl"] },
        { "events.jsonl", Event.Replace("\"a\"", "\"b\"", StringComparison.Ordinal), ["events.jsonl:1: watch.showId: 'b': not a show of the catalog"] },
        { "events.jsonl", Event.Replace("2026", "26", StringComparison.Ordinal), ["eventTime: \"26-11-22T01:30:00Z\": must be a time in RFC 3339"] },
        { "events.jsonl", Event + Event.Replace("2026", "2025", StringComparison.Ordinal), ["events.jsonl:2: eventTime: 2025-11-22T01:30:00Z: earlier than 2026"] },
        { "events.jsonl", """{"userId":"u","watch":{"showId":"a"}}""", ["events.jsonl:1: eventTime: missing"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z"}""", ["events.jsonl:1: action: missing; one of login, watch"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","login":{},"like":{"showId":"a"}}""", ["like: a second action beside login"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","rate":{}}""", ["rate: unknown field; userId"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","like":{"showId":"a","clicked":true}}""", ["like.clicked: unknown field; not a field of like"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","watch":{"showId":"a","played":120}}""", ["watch.played: 120: must be a text"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","watch":{"showId":"a","played":"2m"}}""", ["watch.played: \"2m\": must be a duration in seconds"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","watch":{"showId":"a","played":"-1.500s"}}""", ["watch.played: -1.500s: negative"] },
        { "events.jsonl", """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","scenario":"t","login":{}}""", ["scenario: 't': not a scenario of the dataset"] },
    };

    [Theory]
    [MemberData(nameof(WrongFiles))]
    public void A_wrong_line_is_refused_with_file_line_field_and_value(string file, string content, string[] message)
    {
        using var directory = Valid();
        directory.Write(file, content);
        var error = Assert.Throws<DatasetException>(() => DatasetFiles.Read(directory.Path));
        Assert.All(message, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("shows.jsonl")]
    [InlineData("scenarios.json")]
    [InlineData("users.jsonl")]
    [InlineData("events.jsonl")]
    public void A_missing_file_is_named(string file)
    {
        using var directory = Valid();
        File.Delete(directory[file]);
        var error = Assert.Throws<DatasetException>(() => DatasetFiles.Read(directory.Path));
        Assert.Equal(directory[file], error.Place);
    }

    [Fact]
    public void Only_what_can_be_read_is_written()
    {
        var watch = new UserAction(ActionKind.Watch, DateTimeOffset.UnixEpoch) { ShowId = "a" };
        UserAction[][] wrong =
        [
            [watch with { ShowId = "b" }],
            [watch with { ShowId = null }],
            [watch with { Played = TimeSpan.FromSeconds(-1) }],
            [watch with { Kind = ActionKind.Like, Played = TimeSpan.FromSeconds(1) }],
            [watch with { Kind = ActionKind.Login }],
            [watch with { Clicked = true }],
            [watch with { Scenario = "t" }],
            [watch with { Kind = default }],
            [watch with { Scenarios = ["s"] }],
            [watch, watch with { Time = watch.Time.AddTicks(-1) }],
        ];
        using var directory = new TempDirectory();
        foreach (var actions in wrong)
        {
            var dataset = new Dataset(
                [new Show("a", ShowCategory.Movie)], [new Scenario("s")], [new UserLog(new UserProfile("u"), actions)]);
            var error = Assert.Throws<DatasetException>(() => DatasetFiles.Write(dataset, directory.Path));
            Assert.StartsWith("actions of user 'u':" + actions.Length, error.Place, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    private static TempDirectory Valid()
    {
        var directory = new TempDirectory();
        directory.Write("shows.jsonl", Shows);
        directory.Write("scenarios.json", Scenarios);
        directory.Write("users.jsonl", Users);
        directory.Write("events.jsonl", Event);
        return directory;
    }

    private sealed class Recorder(Action<DatasetProgress> report) : IProgress<DatasetProgress>
    {
        public void Report(DatasetProgress value) => report(value);
    }
}
