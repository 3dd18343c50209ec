namespace Nearline.Contracts;

/// <summary>
/// Redis key names. The keys of a user share the hash tag <c>{user_id}</c>, so they live in one cluster slot and can
/// be written in one atomic step.
/// </summary>
public static class RedisKeys
{
    /// <summary>The fallback list of the whole service.</summary>
    public const string Popular = "nl:popular";

    /// <summary>
    /// Which scenarios are served, <see cref="Storage.V1.ScenarioDirectory"/>: the worker writes it after the fallback
    /// lists of a model, so that readers find them without a scan.
    /// </summary>
    public const string Scenarios = "nl:scenarios";

    /// <summary>The backfill that is to be done, or was done last, <see cref="Storage.V1.BackfillJob"/>.</summary>
    public const string Backfill = "nl:backfill";

    /// <summary>How far it is, <see cref="Storage.V1.BackfillProgress"/>.</summary>
    public const string BackfillProgress = "nl:backfill:progress";

    /// <summary>Which worker does it; expires by itself.</summary>
    public const string BackfillLease = "nl:backfill:lease";

    /// <summary>Matches the keys of all users' states, for SCAN.</summary>
    public const string AnyState = StateStart + "*" + StateEnd;

    private const string StateStart = "nl:{";
    private const string StateEnd = "}:state";
    private const string RenewedEnd = "}:renewed";

    /// <summary>A user's folded events, <see cref="Storage.V1.UserState"/>.</summary>
    public static string State(string userId) => $"nl:{{{userId}}}:state";

    /// <summary>The user of a state's key; null when it is none.</summary>
    public static string? UserOfState(string key) => Between(key, StateEnd);

    /// <summary>The user of a renewal's channel; null when it is none.</summary>
    public static string? UserOfRenewal(string channel) => Between(channel, RenewedEnd);

    /// <summary>What a user has watched, <see cref="Storage.V1.WatchedShows"/>.</summary>
    public static string Watched(string userId) => $"nl:{{{userId}}}:watched";

    /// <summary>A user's candidates in a scenario, <see cref="Storage.V1.RetrievalSet"/>.</summary>
    public static string Set(string userId, string scenario) => $"nl:{{{userId}}}:set:{scenario}";

    /// <summary>The same of an experiment; an empty variant is the default set.</summary>
    public static string Set(string userId, string scenario, string variant) =>
        variant.Length == 0 ? Set(userId, scenario) : $"nl:{{{userId}}}:set:{scenario}:{variant}";

    /// <summary>The channel on which a renewal of the user's sets is announced; the message is the model version.</summary>
    public static string Renewed(string userId) => $"nl:{{{userId}}}:renewed";

    private static string? Between(string key, string end) =>
        key.Length > StateStart.Length + end.Length &&
        key.StartsWith(StateStart, StringComparison.Ordinal) && key.EndsWith(end, StringComparison.Ordinal)
            ? key[StateStart.Length..^end.Length]
            : null;

    /// <summary>A scenario's fallback list, <see cref="Storage.V1.RetrievalSet"/> with popularity as the score.</summary>
    public static string PopularIn(string scenario) => $"nl:popular:{scenario}";
}
