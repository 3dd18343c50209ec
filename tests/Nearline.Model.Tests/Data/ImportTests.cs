using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Data;

public sealed class ImportTests
{
    private const string Films = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n";
    private const string Users = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n";
    private const string Ratings = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

    [Theory]
    [InlineData(1, 1, 2362583817)]
    [InlineData(196, 242, 778042406)]
    [InlineData(943, 1682, 1788214524)]
    public void Ties_are_broken_by_the_protocols_hash(uint user, uint item, uint expected) =>
        Assert.Equal(expected, MovieLensTieBreak.Of(user, item));

    [Fact]
    public void A_rating_is_a_watch_in_the_users_scenario()
    {
        using var directory = MovieLens(
            "7\tToy Story\t1995\tAnimation Children's Comedy\n8\tunkonwn\tunkonwn\tunknown\n",
            "2\t53\tF\tother\t94043\n1\t29\tM\ttechnician\t85711\n",
            "1\t7\t3\t881250949\n");
        var dataset = MovieLensImport.Read(directory.Path);

        Assert.Equal(("7", "Toy Story", 1995, ShowCategory.Movie),
            (dataset.Shows[0].Id, dataset.Shows[0].Title, dataset.Shows[0].ReleaseYear, dataset.Shows[0].Category));
        Assert.Equal(["Animation", "Children's", "Comedy"], dataset.Shows[0].Tags);
        Assert.Equal(("", null), (dataset.Shows[1].Title, dataset.Shows[1].ReleaseYear));
        Assert.Empty(dataset.Shows[1].Tags);

        Assert.Equal(["f-under-30", "f-30-plus", "m-under-30", "m-30-plus"], dataset.Scenarios.Select(s => s.Id));
        Assert.Equal(["2", "1"], dataset.Users.Select(u => u.User.Id));
        Assert.Equal(["f-30-plus"], dataset.Users[0].User.Scenarios);
        var (user, actions) = dataset.Users[1];
        Assert.Equal(["m-under-30"], user.Scenarios);
        Assert.Equal(("M", "25-34", "technician"), (user.Attributes["gender"], user.Attributes["age"], user.Attributes["occupation"]));
        Assert.Equal(
            new UserAction(ActionKind.Watch, DateTimeOffset.FromUnixTimeSeconds(881250949))
            {
                ShowId = "7",
                Played = TimeSpan.FromSeconds(3600),
                Length = TimeSpan.FromSeconds(6000),
                Scenario = "m-under-30",
            },
            Assert.Single(actions));
    }

    [Fact]
    public void Ratings_of_one_second_are_in_the_hashs_order_not_in_that_of_ids()
    {
        var items = Enumerable.Range(1, 50).Select(i => (uint)i).ToArray();
        using var directory = MovieLens(
            string.Concat(items.Select(i => $"{i}\tt\t1990\tDrama\n")),
            "1\t30\tF\tother\t1\n",
            "1\t50\t5\t99\n" + string.Concat(items.Take(49).Select(i => $"1\t{i}\t5\t100\n")));
        var order = MovieLensImport.Read(directory.Path).Users[0].Actions.Select(a => uint.Parse(a.ShowId!)).ToArray();
        Assert.Equal(50u, order[0]);
        Assert.Equal(items.Take(49).OrderBy(i => MovieLensTieBreak.Of(1, i)), order.Skip(1));
        Assert.NotEqual(items.Take(49), order.Skip(1));
    }

    [Theory]
    [InlineData("ml-100k.inter", "1\t9\t3\t1\n", "ml-100k.inter:2: watch.showId: '9': not a show")]
    [InlineData("ml-100k.inter", "9\t7\t3\t1\n", "ml-100k.inter:2: user_id: '9': not a user of ml-100k.user")]
    [InlineData("ml-100k.inter", "1\t7\t6\t1\n", "rating: '6': must be a number from 0 to 5")]
    [InlineData("ml-100k.inter", "1\t7\t3\tnow\n", "timestamp: 'now': must be seconds since 1970")]
    [InlineData("ml-100k.inter", "1\t7\t3\n", "ml-100k.inter:2: 3 columns; the header has 4")]
    [InlineData("ml-100k.user", "1\told\tM\tx\t1\n", "age: 'old': must be a whole number")]
    [InlineData("ml-100k.user", "1\t30\tX\tx\t1\n", "gender: 'X': must be F or M")]
    [InlineData("ml-100k.item", "7\tA\t1995\tx\n7\tB\t1995\tx\n", "ml-100k.item:3: showId: '7': given twice")]
    public void A_wrong_row_of_MovieLens_is_named(string file, string rows, string message)
    {
        using var directory = MovieLens("7\tA\t1995\tDrama\n", "1\t30\tM\tother\t1\n", "");
        File.WriteAllText(directory[file], File.ReadLines(directory[file]).First() + "\n" + rows);
        var error = Assert.Throws<DatasetException>(() => MovieLensImport.Read(directory.Path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_header_of_MovieLens_is_shown_with_the_right_one()
    {
        using var directory = MovieLens("", "", "");
        directory.Write("ml-100k.user", "user\tage\n");
        var error = Assert.Throws<DatasetException>(() => MovieLensImport.Read(directory.Path));
        Assert.Contains("'user\tage': must be, tab separated, 'user_id:token age:token", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sequences_keep_their_order_and_items_their_attributes()
    {
        using var directory = new TempDirectory();
        directory.Write("Toys.txt", "1 3 2 3\n2 10\n");
        directory.Write("Toys_item2attributes.json", """{"10": [4], "2": [12, 3, 12], "11": []}""");
        var dataset = DatasetImport.Detect(directory.Path).Read();
        Assert.Equal(["2", "3", "10", "11"], dataset.Shows.Select(s => s.Id));
        Assert.Equal(["a12", "a3"], dataset.Shows[0].Tags);
        Assert.Empty(dataset.Shows[1].Tags);
        Assert.Equal("default", Assert.Single(dataset.Scenarios).Id);
        Assert.Equal(
            [("3", 0), ("2", 1), ("3", 2)],
            dataset.Users[0].Actions.Select(a => (a.ShowId, (int)(a.Time - AmazonImport.Epoch).TotalSeconds)));
    }

    [Theory]
    [InlineData("1 x\n", "{}", "Toys.txt:1: item: 'x': must be a whole number")]
    [InlineData("1\n", "{}", "Toys.txt:1: '1': a user without items")]
    [InlineData("1 2\n1 3\n", "{}", "Toys.txt:2: userId: '1': given twice")]
    [InlineData("", "{}", "Toys.txt: no users")]
    [InlineData("1 2\n", "{\"2\": 3}", "Toys_item2attributes.json: ['2']: 3: must be a list of attribute numbers")]
    public void A_wrong_line_of_a_sequence_file_is_named(string sequences, string attributes, string message)
    {
        using var directory = new TempDirectory();
        var error = Assert.Throws<DatasetException>(() => AmazonImport.Read(
            directory.Write("Toys.txt", sequences), directory.Write("Toys_item2attributes.json", attributes)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_format_is_found_by_the_files_and_a_choice_is_asked_for_when_there_are_several()
    {
        using var directory = new TempDirectory();
        var none = Assert.Throws<DatasetException>(() => DatasetImport.Detect(directory.Path));
        Assert.All(
            ["shows.jsonl", "events.jsonl", "ml-100k.inter", "NAME_item2attributes.json"],
            file => Assert.Contains(file, none.Message, StringComparison.Ordinal));

        directory.Write("Toys.txt", "1 2\n");
        directory.Write("Toys_item2attributes.json", "{}");
        Assert.Equal("Toys", DatasetImport.Detect(directory.Path).Name);

        var own = RandomDataset.Create(1);
        DatasetFiles.Write(own, directory.Path);
        var several = Assert.Throws<DatasetException>(() => DatasetImport.Detect(directory.Path));
        Assert.Contains("name one of nearline, Toys", several.Message, StringComparison.Ordinal);
        Assert.Equal(own.Fingerprint(), DatasetImport.Detect(directory.Path, "nearline").Read().Fingerprint());
        Assert.Equal("Toys", DatasetImport.Detect(directory.Path, "toys").Name);
        var wrong = Assert.Throws<DatasetException>(() => DatasetImport.Detect(directory.Path, "x"));
        Assert.Contains("no dataset named 'x'", wrong.Message, StringComparison.Ordinal);
    }

    [RealDataFact]
    public void MovieLens_100K_is_read_whole()
    {
        var dataset = DatasetImport.Detect(RealData.Directory!, "ml-100k").Read();
        Assert.Equal((1682, 943, 100_000), (dataset.Shows.Count, dataset.Users.Count, dataset.Users.Sum(u => u.Actions.Count)));
        Assert.All(dataset.Users, log => Assert.Single(log.User.Scenarios));
        Assert.Equal(4, dataset.Users.Select(log => log.User.Scenarios[0]).Distinct(StringComparer.Ordinal).Count());
        RoundTrips(dataset);
    }

    [RealDataFact]
    public void Amazon_Beauty_is_read_whole()
    {
        var dataset = DatasetImport.Detect(RealData.Directory!, "Beauty").Read();
        Assert.Equal((12_101, 22_363), (dataset.Shows.Count, dataset.Users.Count));
        Assert.All(dataset.Users, log => Assert.InRange(log.Actions.Count, 5, 1000));
        RoundTrips(dataset);
    }

    private static void RoundTrips(Dataset dataset)
    {
        using var directory = new TempDirectory();
        DatasetFiles.Write(dataset, directory.Path);
        Assert.Equal(RandomDataset.Describe(dataset), RandomDataset.Describe(DatasetFiles.Read(directory.Path)));
    }

    private static TempDirectory MovieLens(string films, string users, string ratings)
    {
        var directory = new TempDirectory();
        directory.Write("ml-100k.item", Films + films);
        directory.Write("ml-100k.user", Users + users);
        directory.Write("ml-100k.inter", Ratings + ratings);
        return directory;
    }
}
