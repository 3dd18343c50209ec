using Nearline.Worker.State;

namespace Nearline.Worker.Pipeline;

/// <summary>What is to be stored of a user after a batch.</summary>
internal static class UserWrites
{
    /// <summary>State, sets, and the sets to delete: of scenarios that the user has left, and of experiments that ended.</summary>
    public static UserWrite Of(UserWork work, RetrievalOutcome outcome, DateTimeOffset now)
    {
        var user = work.User;
        var before = Stored(user);
        var sets = new List<StoredSet>();
        if (outcome.Sets.TryGetValue(work, out var made))
        {
            sets.AddRange(made.Default.Select(c => Set(c, "", made.ModelVersion)));
            sets.AddRange(made.Variants.SelectMany(v => v.Sets.Select(c => Set(c, v.Variant, v.ModelVersion))));
        }

        if (work.NeedsSets || work.WasDeleted)
        {
            user.SetScenarios = [.. sets.Where(s => s.Variant.Length == 0).Select(s => s.Scenario)];
            user.Made = made is null ? null : new MadeSets(
                now,
                made.ModelVersion,
                outcome.CatalogPosition,
                [.. made.Variants.Select(v => new MadeVariant(v.Variant, v.ModelVersion, [.. v.Sets.Select(s => s.Scenario)]))]);
        }

        var removed = before.Except(Stored(user)).ToList();
        return new UserWrite(
            user.UserId,
            work.ExpectedRevision,
            UserStateMapper.ToMessage(user, now),
            RetrievalSetMapper.Watched(user.History),
            sets,
            removed,
            sets.Count > 0 || removed.Count > 0 ? made?.ModelVersion ?? outcome.ModelVersion : "");

        StoredSet Set(Model.Serving.ScenarioCandidates candidates, string variant, string version) => new(
            candidates.Scenario,
            variant,
            RetrievalSetMapper.Personal(candidates, version, now, work.Trigger?.EventId ?? "", work.Trigger?.Time));
    }

    /// <summary>The sets that are stored of the user.</summary>
    private static List<(string Scenario, string Variant)> Stored(StoredUser user) =>
    [
        .. user.SetScenarios.Select(scenario => (scenario, "")),
        .. (user.Made?.Variants ?? []).SelectMany(v => v.Scenarios.Select(scenario => (scenario, v.Variant))),
    ];
}
