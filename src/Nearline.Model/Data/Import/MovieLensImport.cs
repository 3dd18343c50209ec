using System.Globalization;
using Nearline.Model.Behaviours;
using Nearline.Model.Data.Files;

namespace Nearline.Model.Data.Import;

/// <summary>
/// MovieLens 100K as tab separated files <c>ml-100k.inter</c>, <c>.item</c> and <c>.user</c>. Every rating is a watch;
/// a rating of r out of 5 is imported as r fifths played of a nominal film of 100 minutes. Ratings of a user at the
/// same second are ordered by a hash, then by item id. A user's one scenario is gender by age.
/// </summary>
public static class MovieLensImport
{
    /// <summary>The ratings.</summary>
    public const string RatingsFile = "ml-100k.inter";

    /// <summary>The films.</summary>
    public const string FilmsFile = "ml-100k.item";

    /// <summary>The users.</summary>
    public const string UsersFile = "ml-100k.user";

    private const int BestRating = 5;
    private const int YoungerThan = 30;

    /// <summary>How long a film is taken to last.</summary>
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(100);

    private static readonly Scenario[] Scenarios =
    [
        new("f-under-30") { Description = "Women under 30" },
        new("f-30-plus") { Description = "Women of 30 and over" },
        new("m-under-30") { Description = "Men under 30" },
        new("m-30-plus") { Description = "Men of 30 and over" },
    ];

    private static readonly (int From, string Name)[] AgeBuckets =
    [
        (65, "65-plus"), (55, "55-64"), (45, "45-54"), (35, "35-44"), (25, "25-34"), (18, "18-24"), (0, "under-18"),
    ];

    /// <summary>Reads the three files.</summary>
    /// <exception cref="DatasetException">A file is missing or a row is wrong.</exception>
    public static Dataset Read(string directory, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var checks = new DatasetChecks();
        foreach (var scenario in Scenarios)
        {
            checks.AddScenario(scenario, default);
        }

        var shows = ReadFilms(Path.Combine(directory, FilmsFile), checks);
        var users = ReadUsers(Path.Combine(directory, UsersFile), checks);
        var ratings = ReadRatings(Path.Combine(directory, RatingsFile), users, checks, cancellationToken);
        return new Dataset(shows, Scenarios, [.. users.Values.Select(user => new UserLog(
            user,
            [.. ratings[user.Id].OrderBy(r => r.Action.Time).ThenBy(r => r.TieBreak).ThenBy(r => r.Item).Select(r => r.Action)]))]);
    }

    private static List<Show> ReadFilms(string path, DatasetChecks checks)
    {
        var shows = new List<Show>();
        foreach (var (row, at) in ImportFile.Table(
            path, "item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"))
        {
            ImportFile.Id(row[0], "item_id", at);
            var show = new Show(row[0], ShowCategory.Movie)
            {
                Title = IsUnknown(row[1]) ? "" : row[1],
                ReleaseYear = int.TryParse(row[2], NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year > 0
                    ? year
                    : null,
                Tags = [.. row[3].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(tag => !IsUnknown(tag))],
            };
            checks.AddShow(show, at);
            shows.Add(show);
        }

        return shows;
    }

    private static OrderedDictionary<string, UserProfile> ReadUsers(string path, DatasetChecks checks)
    {
        var users = new OrderedDictionary<string, UserProfile>(StringComparer.Ordinal);
        foreach (var (row, at) in ImportFile.Table(
            path, "user_id:token", "age:token", "gender:token", "occupation:token", "zip_code:token"))
        {
            ImportFile.Id(row[0], "user_id", at);
            if (!int.TryParse(row[1], NumberStyles.None, CultureInfo.InvariantCulture, out var age))
            {
                throw at.Fail("age", $"'{row[1]}': must be a whole number of years");
            }

            var gender = row[2] switch
            {
                "F" => "f",
                "M" => "m",
                _ => throw at.Fail("gender", $"'{row[2]}': must be F or M"),
            };
            var attributes = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["gender"] = row[2],
                ["age"] = AgeBuckets.First(bucket => age >= bucket.From).Name,
                ["occupation"] = row[3].Length > 0 ? row[3] : throw at.Fail("occupation", "empty"),
            };
            var user = new UserProfile(row[0])
            {
                Attributes = attributes,
                Scenarios = [gender + (age < YoungerThan ? "-under-30" : "-30-plus")],
            };
            checks.AddUser(user, at);
            users.Add(user.Id, user);
        }

        return users;
    }

    private static Dictionary<string, List<(UserAction Action, uint TieBreak, uint Item)>> ReadRatings(
        string path,
        OrderedDictionary<string, UserProfile> users,
        DatasetChecks checks,
        CancellationToken cancellationToken)
    {
        var ratings = users.Keys.ToDictionary(
            id => id, _ => new List<(UserAction Action, uint TieBreak, uint Item)>(), StringComparer.Ordinal);
        foreach (var (row, at) in ImportFile.Table(
            path, "user_id:token", "item_id:token", "rating:float", "timestamp:float"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!users.TryGetValue(row[0], out var user))
            {
                throw at.Fail("user_id", $"'{row[0]}': not a user of {UsersFile}");
            }

            var (userNumber, item) = (ImportFile.Id(row[0], "user_id", at), ImportFile.Id(row[1], "item_id", at));
            var action = new UserAction(ActionKind.Watch, Time(row[3], at))
            {
                ShowId = checks.Share(row[1]),
                Played = Length * Rating(row[2], at) / BestRating,
                Length = Length,
                Scenario = user.Scenarios[0],
            };
            checks.CheckAction(action, at);
            ratings[row[0]].Add((action, MovieLensTieBreak.Of(userNumber, item), item));
        }

        return ratings;
    }

    // What the source writes, in both spellings, where it has no title or genre.
    private static bool IsUnknown(string text) => text is "unknown" or "unkonwn";

    private static double Rating(string text, DatasetPosition at) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rating) &&
        rating is >= 0 and <= BestRating
            ? rating
            : throw at.Fail("rating", $"'{text}': must be a number from 0 to 5");

    private static DateTimeOffset Time(string text, DatasetPosition at) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) &&
        seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.UnixEpoch.AddTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond))
            : throw at.Fail("timestamp", $"'{text}': must be seconds since 1970");
}
