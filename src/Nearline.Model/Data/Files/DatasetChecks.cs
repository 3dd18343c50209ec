using System.Globalization;
using System.Text;
using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Files;

/// <summary>
/// What every dataset keeps to: known and unique ids, fields that fit the action, times in order. Reading and
/// writing use this one set of rules, so that what was written can be read.
/// </summary>
internal sealed class DatasetChecks
{
    private const int MaxIdBytes = 256;
    private const int MaxScenarioLength = 64;
    private const int MaxAttributes = 64;

    private readonly Dictionary<string, string> shows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> scenarios = new(StringComparer.Ordinal);
    private readonly HashSet<string> users = new(StringComparer.Ordinal);

    public static void Verify(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var checks = new DatasetChecks();
        for (var i = 0; i < dataset.Shows.Count; i++)
        {
            checks.AddShow(dataset.Shows[i], new DatasetPosition("dataset.Shows", i + 1));
        }

        for (var i = 0; i < dataset.Scenarios.Count; i++)
        {
            checks.AddScenario(dataset.Scenarios[i], new DatasetPosition("dataset.Scenarios", i + 1));
        }

        checks.RequireScenarios(new DatasetPosition("dataset.Scenarios", 0));
        for (var i = 0; i < dataset.Users.Count; i++)
        {
            var (user, actions) = dataset.Users[i];
            checks.AddUser(user, new DatasetPosition("dataset.Users", i + 1));
            var place = $"actions of user '{user.Id}'";
            for (var j = 0; j < actions.Count; j++)
            {
                var at = new DatasetPosition(place, j + 1);
                checks.CheckAction(actions[j], at);
                if (j > 0)
                {
                    CheckOrder(actions[j - 1].Time, actions[j].Time, at);
                }
            }
        }
    }

    public static void CheckOrder(DateTimeOffset before, DateTimeOffset now, DatasetPosition at)
    {
        if (now < before)
        {
            throw at.Fail("eventTime", $"{ProtoTime.Format(now)}: earlier than {ProtoTime.Format(before)} before it; sort by time");
        }
    }

    public void AddShow(Show show, DatasetPosition at)
    {
        CheckId("showId", show.Id, at);
        if (!shows.TryAdd(show.Id, show.Id))
        {
            throw at.Fail("showId", $"'{show.Id}': given twice");
        }

        if (!Enum.IsDefined(show.Category))
        {
            throw at.Fail("category", $"{show.Category:D}: not a category; {CategoryNames.All}");
        }

        if (show.ReleaseYear == 0)
        {
            throw at.Fail("releaseYear", "0: leave it out when it is unknown");
        }

        if (show.AvailableFrom is { } from && show.AvailableUntil is { } until && until <= from)
        {
            throw at.Fail("availableUntil", $"{ProtoTime.Format(until)}: not after availableFrom, {ProtoTime.Format(from)}");
        }
    }

    public void AddScenario(Scenario scenario, DatasetPosition at)
    {
        if (scenario.Id.Length is 0 or > MaxScenarioLength ||
            !scenario.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw at.Fail("id", $"'{scenario.Id}': a scenario's id is 1 to 64 letters, digits, '-', '_' and '.'");
        }

        if (!scenarios.TryAdd(scenario.Id, scenario.Id))
        {
            throw at.Fail("id", $"'{scenario.Id}': given twice");
        }
    }

    public void RequireScenarios(DatasetPosition at)
    {
        if (scenarios.Count == 0)
        {
            throw at.Fail("", "no scenario; at least one is needed");
        }
    }

    public void AddUser(UserProfile user, DatasetPosition at)
    {
        CheckId("userId", user.Id, at);
        if (user.Id.AsSpan().ContainsAny('{', '}'))
        {
            throw at.Fail("userId", $"'{user.Id}': neither '{{' nor '}}' may be in it");
        }

        if (!users.Add(user.Id))
        {
            throw at.Fail("userId", $"'{user.Id}': given twice");
        }

        CheckAttributes("attributes", user.Attributes, at);
        foreach (var (name, value) in user.Attributes)
        {
            if (value.Length == 0)
            {
                throw at.Fail($"attributes['{name}']", "empty; leave the attribute out");
            }
        }

        CheckScenarios("scenarios", user.Scenarios, at);
    }

    public void CheckAction(UserAction action, DatasetPosition at)
    {
        var field = ActionNames.Of(action.Kind) ?? throw at.Fail("kind", $"{action.Kind:D}: not an action");
        if (ActionNames.IsAboutShow(action.Kind))
        {
            if (string.IsNullOrEmpty(action.ShowId))
            {
                throw at.Fail(field + ".showId", "missing; the id of a show");
            }

            if (!shows.ContainsKey(action.ShowId))
            {
                throw at.Fail(field + ".showId", $"'{action.ShowId}': not a show of the catalog");
            }
        }
        else if (!string.IsNullOrEmpty(action.ShowId))
        {
            throw at.Fail(field + ".showId", $"'{action.ShowId}': this action is about no show");
        }

        if (action.Kind == ActionKind.Watch)
        {
            CheckNotNegative("watch.played", action.Played, at);
            CheckNotNegative("watch.length", action.Length, at);
        }
        else if (!string.IsNullOrEmpty(action.EpisodeId) || action.Played is not null || action.Length is not null)
        {
            throw at.Fail(field, "only a watch has episodeId, played and length");
        }

        if (action.Clicked && action.Kind != ActionKind.Impression)
        {
            throw at.Fail(field, "only an impression has clicked");
        }

        if (action.Kind == ActionKind.ProfileUpdate)
        {
            CheckAttributes("profileUpdate.attributes", action.Attributes ?? EmptyAttributes, at);
            CheckScenarios("profileUpdate.scenarios", action.Scenarios ?? [], at);
        }
        else if (action.Attributes is { Count: > 0 } || action.Scenarios is { Count: > 0 })
        {
            throw at.Fail(field, "only a profileUpdate has attributes and scenarios");
        }

        if (!string.IsNullOrEmpty(action.Scenario) && !scenarios.ContainsKey(action.Scenario))
        {
            throw at.Fail("scenario", UnknownScenario(action.Scenario));
        }
    }

    /// <summary>The catalog's own instance of a show's id, so that equal ids of many events share their memory.</summary>
    public string? Share(string? showId) =>
        showId is not null && shows.TryGetValue(showId, out var shared) ? shared : showId;

    /// <summary>The shared instance of a scenario's id.</summary>
    public string? ShareScenario(string? scenario) =>
        scenario is not null && scenarios.TryGetValue(scenario, out var shared) ? shared : scenario;

    private static readonly Dictionary<string, string> EmptyAttributes = [];

    private static void CheckId(string field, string id, DatasetPosition at)
    {
        if (string.IsNullOrEmpty(id))
        {
            throw at.Fail(field, "missing or empty; 1 to 256 bytes");
        }

        var bytes = Encoding.UTF8.GetByteCount(id);
        if (bytes > MaxIdBytes)
        {
            throw at.Fail(field, string.Create(CultureInfo.InvariantCulture, $"'{id[..32]}...': {bytes} bytes; at most 256"));
        }
    }

    private static void CheckNotNegative(string field, TimeSpan? value, DatasetPosition at)
    {
        if (value < TimeSpan.Zero)
        {
            throw at.Fail(field, $"{ProtoTime.Format(value.Value)}: negative; at least 0s");
        }
    }

    private static void CheckAttributes(string field, IReadOnlyDictionary<string, string> attributes, DatasetPosition at)
    {
        if (attributes.Count > MaxAttributes)
        {
            throw at.Fail(field, string.Create(CultureInfo.InvariantCulture, $"{attributes.Count} of them; at most 64"));
        }

        foreach (var (name, value) in attributes)
        {
            CheckId(field, name, at);
            if (value.Length > 0)
            {
                CheckId($"{field}['{name}']", value, at);
            }
        }
    }

    private void CheckScenarios(string field, IReadOnlyList<string> names, DatasetPosition at)
    {
        foreach (var name in names)
        {
            if (!scenarios.ContainsKey(name))
            {
                throw at.Fail(field, UnknownScenario(name));
            }
        }
    }

    private string UnknownScenario(string name) =>
        $"'{name}': not a scenario of the dataset; one of {string.Join(", ", scenarios.Keys.Order(StringComparer.Ordinal))}";
}
