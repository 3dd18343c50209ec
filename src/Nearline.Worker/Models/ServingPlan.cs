using System.Globalization;
using Nearline.Contracts;
using Nearline.Model.Bundles;
using Nearline.Worker.State;

namespace Nearline.Worker.Models;

/// <summary>Which bundles make whose sets.</summary>
internal sealed class ServingPlan
{
    private const int Steps = 10_000;
    private const string CanaryName = "canary";

    /// <param name="active">The bundle of everybody whom no canary takes.</param>
    /// <param name="rollout">What is served beside it.</param>
    public ServingPlan(string active, Rollout rollout)
    {
        (Active, Rollout) = (active, rollout with { Experiments = [.. rollout.Experiments.OrderBy(e => e.Name, StringComparer.Ordinal)] });
        Id = string.Join(
            ';',
            (rollout.Canary is { } canary ? [(CanaryName, canary.Version, canary.Percent)] : Array.Empty<(string, string, double)>())
                .Concat(Rollout.Experiments.Select(e => (e.Name, e.Version, e.Percent)))
                .Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Item1}={s.Item2}@{s.Item3:0.##}"))
                .Prepend(active));
    }

    /// <summary>The bundle of everybody whom no canary takes.</summary>
    public string Active { get; }

    /// <summary>What is served beside it, experiments by name.</summary>
    public Rollout Rollout { get; }

    /// <summary>Says all of it, such as <c>v1;canary=v2@10;bold=v3@5</c>.</summary>
    public string Id { get; }

    /// <summary>All bundles in it, the active one first.</summary>
    public IEnumerable<string> Versions => Rollout.Experiments.Select(e => e.Version)
        .Prepend(Rollout.Canary?.Version ?? Active).Prepend(Active).Distinct(StringComparer.Ordinal);

    /// <summary>The plan of an <see cref="Id"/>; null when the text is none.</summary>
    public static ServingPlan? Parse(string id)
    {
        var parts = id.Split(';');
        if (!BundleVersion.IsName(parts[0]))
        {
            return null;
        }

        CanaryRelease? canary = null;
        var experiments = new List<Experiment>();
        foreach (var part in parts.Skip(1))
        {
            var (equals, at) = (part.IndexOf('=', StringComparison.Ordinal), part.LastIndexOf('@'));
            if (equals <= 0 || at < equals ||
                !double.TryParse(part.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent))
            {
                return null;
            }

            var (name, version) = (part[..equals], part[(equals + 1)..at]);
            if (name == CanaryName)
            {
                canary = new CanaryRelease(version, percent);
            }
            else
            {
                experiments.Add(new Experiment(name, version, percent));
            }
        }

        return new ServingPlan(parts[0], new Rollout(canary, experiments));
    }

    /// <summary>
    /// The bundle of a user's default sets. A canary takes users by a stable hash: a larger percentage takes the same
    /// and more. Another canary takes others.
    /// </summary>
    public string VersionFor(string userId) =>
        Rollout.Canary is { } canary && Takes(CanaryName + ":" + canary.Version, canary.Percent, userId) ? canary.Version : Active;

    /// <summary>The experiments that the user is in; each takes users by a hash of its own.</summary>
    public IEnumerable<Experiment> ExperimentsOf(string userId) =>
        Rollout.Experiments.Where(e => Takes("experiment:" + e.Name, e.Percent, userId));

    /// <summary>Whether the user is served by the other plan as by this one.</summary>
    public bool IsSameFor(string userId, ServingPlan other) =>
        VersionFor(userId) == other.VersionFor(userId) &&
        ExperimentsOf(userId).Select(e => (e.Name, e.Version)).SequenceEqual(other.ExperimentsOf(userId).Select(e => (e.Name, e.Version)));

    /// <summary>Whether the user's sets are those of this plan.</summary>
    public bool IsServed(StoredUser user) => user.Made is { } made && made.ModelVersion == VersionFor(user.UserId) &&
        ExperimentsOf(user.UserId).Select(e => (e.Name, e.Version)).ToHashSet().SetEquals(made.Variants.Select(v => (v.Variant, v.ModelVersion)));

    private static bool Takes(string salt, double percent, string userId) =>
        StableHash.Of(salt, userId) % Steps < (ulong)Math.Round(percent * Steps / 100);
}
