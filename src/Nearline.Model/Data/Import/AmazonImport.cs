using System.Globalization;
using System.Text.Json;
using Nearline.Model.Behaviours;
using Nearline.Model.Data.Files;

namespace Nearline.Model.Data.Import;

/// <summary>
/// Purchase sequences: a file with a line a user, <c>user item item ...</c> in time order, and a JSON file
/// <c>{"item": [attribute, ...]}</c>. Every purchase is a watch of unknown length, in the one scenario
/// <c>default</c>; attribute 12 becomes the tag <c>a12</c>.
/// </summary>
/// <remarks>
/// All items are of the category <see cref="ShowCategory.Movie"/>: like a film, and unlike a series or a live
/// programme, a product has no episodes, and one category keeps a user's sequence whole. The source has no times: a
/// user's k-th purchase, from 0, is put k seconds after <see cref="Epoch"/>. The times order a user's own purchases and
/// mean nothing between users.
/// </remarks>
public static class AmazonImport
{
    /// <summary>The time of every user's first purchase.</summary>
    public static readonly DateTimeOffset Epoch = new(2014, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const string ScenarioId = "default";

    /// <summary>Reads the two files.</summary>
    /// <exception cref="DatasetException">A file is missing or a line is wrong.</exception>
    public static Dataset Read(string sequenceFile, string attributesFile, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(sequenceFile);
        ArgumentException.ThrowIfNullOrEmpty(attributesFile);
        var shows = new SortedDictionary<uint, Show>();
        foreach (var (item, tags) in ReadAttributes(attributesFile))
        {
            shows[item] = NewShow(item) with { Tags = tags };
        }

        var checks = new DatasetChecks();
        var scenario = new Scenario(ScenarioId) { Description = "All users" };
        checks.AddScenario(scenario, default);
        var users = new List<UserLog>();
        foreach (var (line, at) in ImportFile.Lines(sequenceFile))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var ids = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (ids.Length == 0)
            {
                continue;
            }

            if (ids.Length == 1)
            {
                throw at.Fail("", $"'{line}': a user without items; must be 'user item item ...'");
            }

            ImportFile.Id(ids[0], "user", at);
            var user = new UserProfile(ids[0]) { Scenarios = [ScenarioId] };
            checks.AddUser(user, at);
            var actions = new List<UserAction>(ids.Length - 1);
            foreach (var id in ids.AsSpan(1))
            {
                var item = ImportFile.Id(id, "item", at);
                if (!shows.TryGetValue(item, out var show))
                {
                    shows.Add(item, show = NewShow(item));
                }

                actions.Add(new UserAction(ActionKind.Watch, Epoch.AddSeconds(actions.Count))
                {
                    ShowId = show.Id,
                    Scenario = ScenarioId,
                });
            }

            users.Add(new UserLog(user, actions));
        }

        return users.Count > 0
            ? new Dataset([.. shows.Values], [scenario], users)
            : throw new DatasetException(sequenceFile, "", "no users");
    }

    private static Show NewShow(uint item) => new(item.ToString(CultureInfo.InvariantCulture), ShowCategory.Movie);

    private static IEnumerable<(uint Item, string[] Tags)> ReadAttributes(string path)
    {
        using var stream = DatasetFiles.OpenRead(path);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var at = new DatasetPosition(path, 0);
        using var document = JsonFields.Parse(bytes, at);
        foreach (var property in JsonFields.Of(document.RootElement, "", at))
        {
            var field = $"['{property.Name}']";
            var item = ImportFile.Id(property.Name, field, at);
            if (property.Value.ValueKind != JsonValueKind.Array)
            {
                throw JsonFields.Wrong(property.Value, field, "a list of attribute numbers", at);
            }

            yield return (item, [.. property.Value.EnumerateArray()
                .Select(value => JsonFields.Int32(value, field, at))
                .Distinct()
                .Select(attribute => string.Create(CultureInfo.InvariantCulture, $"a{attribute}"))]);
        }
    }
}
