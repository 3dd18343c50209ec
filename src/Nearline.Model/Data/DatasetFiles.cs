using System.Text.Json;
using Nearline.Model.Behaviours;
using Nearline.Model.Data.Files;

namespace Nearline.Model.Data;

/// <summary>
/// Nearline's own dataset directory (docs/dataset-format.md): <c>shows.jsonl</c>, a line a show in the JSON form of
/// nearline.catalog.v1.Show; <c>users.jsonl</c>, a line a user; <c>scenarios.json</c>; <c>events.jsonl</c>, a line an
/// event in the JSON form of nearline.events.v1.UserEvent, so that each line is a message for the event topic, by
/// time, equal times by the user's place in users.jsonl, then in the user's own order. The same dataset always gives
/// the same bytes.
/// </summary>
public static class DatasetFiles
{
    /// <summary>The catalog.</summary>
    public const string ShowsFile = "shows.jsonl";

    /// <summary>The users.</summary>
    public const string UsersFile = "users.jsonl";

    /// <summary>The scenarios.</summary>
    public const string ScenariosFile = "scenarios.json";

    /// <summary>The events.</summary>
    public const string EventsFile = "events.jsonl";

    /// <summary>The files and what writes each.</summary>
    internal static readonly (string Name, Action<Stream, Dataset> Write)[] Parts =
    [
        (ShowsFile, (stream, d) => JsonLines.Write(stream, d.Shows, ShowJson.Write)),
        (ScenariosFile, WriteScenarios),
        (UsersFile, (stream, d) => JsonLines.Write(stream, d.Users, (json, u) => UserJson.Write(json, u.User))),
        (EventsFile, (stream, d) => JsonLines.Write(
            stream, d.EventsByTime(), (json, e) => UserEventJson.Write(json, e.UserId, e.Action))),
    ];

    /// <summary>Writes the dataset, replacing one that is there; the directory is made when it is missing.</summary>
    /// <exception cref="DatasetException">The dataset contradicts itself: a field names the place.</exception>
    public static void Write(Dataset dataset, string directory)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        DatasetChecks.Verify(dataset);
        Directory.CreateDirectory(directory);
        foreach (var (name, write) in Parts)
        {
            using var stream = File.Create(Path.Combine(directory, name));
            write(stream, dataset);
        }
    }

    /// <summary>Writes one event as a line of events.jsonl holds it, without the line feed: UTF-8 JSON.</summary>
    public static byte[] EventLine(string userId, UserAction action)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        ArgumentNullException.ThrowIfNull(action);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonOutput.Options))
        {
            UserEventJson.Write(json, userId, action);
        }

        return stream.ToArray();
    }

    /// <summary>Reads a dataset directory.</summary>
    /// <exception cref="DatasetException">A file is missing or a line is wrong: file, line, field and value are named.</exception>
    public static Dataset Read(
        string directory,
        IProgress<DatasetProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var checks = new DatasetChecks();
        var shows = new List<Show>();
        JsonLines.Read(
            Path.Combine(directory, ShowsFile),
            (line, at) =>
            {
                var show = ShowJson.Read(line, at);
                checks.AddShow(show, at);
                shows.Add(show);
            },
            progress,
            cancellationToken);

        var scenarios = ReadScenarios(Path.Combine(directory, ScenariosFile), checks);
        var users = new List<UserProfile>();
        var logs = new Dictionary<string, List<UserAction>>(StringComparer.Ordinal);
        JsonLines.Read(
            Path.Combine(directory, UsersFile),
            (line, at) =>
            {
                var user = UserJson.Read(line, at);
                checks.AddUser(user, at);
                users.Add(user);
                logs.Add(user.Id, []);
            },
            progress,
            cancellationToken);

        ReadEvents(Path.Combine(directory, EventsFile), checks, logs, progress, cancellationToken);
        return new Dataset(shows, scenarios, [.. users.Select(user => new UserLog(user, logs[user.Id]))]);
    }

    internal static FileStream OpenRead(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DatasetException(path, "", "there is no such file", e);
        }
    }

    private static void ReadEvents(
        string path,
        DatasetChecks checks,
        Dictionary<string, List<UserAction>> logs,
        IProgress<DatasetProgress>? progress,
        CancellationToken cancellationToken)
    {
        var before = DateTimeOffset.MinValue;
        var devices = new Dictionary<string, string>(StringComparer.Ordinal);
        JsonLines.Read(
            path,
            (line, at) =>
            {
                var (userId, action) = UserEventJson.Read(line, at);
                if (!logs.TryGetValue(userId, out var log))
                {
                    throw at.Fail("userId", $"'{userId}': not a user of {UsersFile}");
                }

                checks.CheckAction(action, at);
                DatasetChecks.CheckOrder(before, action.Time, at);
                before = action.Time;
                if (action.Device is { } device)
                {
                    devices.TryAdd(device, device);
                }

                log.Add(action with
                {
                    ShowId = checks.Share(action.ShowId),
                    Scenario = checks.ShareScenario(action.Scenario),
                    Device = action.Device is null ? null : devices[action.Device],
                });
            },
            progress,
            cancellationToken);
    }

    private static void WriteScenarios(Stream stream, Dataset dataset)
    {
        // An entry a line: people edit this file.
        stream.Write("[\n"u8);
        for (var i = 0; i < dataset.Scenarios.Count; i++)
        {
            using (var json = new Utf8JsonWriter(stream, JsonOutput.Options))
            {
                ScenarioJson.Write(json, dataset.Scenarios[i]);
            }

            stream.Write(i + 1 < dataset.Scenarios.Count ? ",\n"u8 : "\n"u8);
        }

        stream.Write("]\n"u8);
    }

    private static List<Scenario> ReadScenarios(string path, DatasetChecks checks)
    {
        using var stream = OpenRead(path);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var file = new DatasetPosition(path, 0);
        var hasByteOrderMark = bytes.AsSpan().StartsWith("\uFEFF"u8);
        using var document = JsonFields.Parse(bytes.AsMemory(hasByteOrderMark ? 3 : 0), file);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw JsonFields.Wrong(document.RootElement, "", "a list of scenarios, [{...}]", file);
        }

        var scenarios = new List<Scenario>();
        foreach (var element in document.RootElement.EnumerateArray())
        {
            var at = new DatasetPosition($"{path}[{scenarios.Count}]", 0);
            var scenario = ScenarioJson.Read(element, at);
            checks.AddScenario(scenario, at);
            scenarios.Add(scenario);
        }

        checks.RequireScenarios(file);
        return scenarios;
    }
}
