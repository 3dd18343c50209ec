using System.Collections.Frozen;

namespace Nearline.Api.Fallbacks;

/// <summary>The scenarios and their fallback lists at one time; immutable.</summary>
internal sealed class FallbackSnapshot
{
    public static readonly FallbackSnapshot Empty = new("", [], FrozenDictionary<string, FallbackList>.Empty, null) { Loaded = false };

    private readonly FrozenDictionary<string, FallbackList> _lists;
    private readonly FrozenSet<string> _known;

    public FallbackSnapshot(
        string modelVersion,
        IReadOnlyList<string> scenarios,
        IReadOnlyDictionary<string, FallbackList> lists,
        FallbackList? everywhere)
    {
        ModelVersion = modelVersion;
        Scenarios = [.. scenarios.Order(StringComparer.Ordinal)];
        Everywhere = everywhere;
        _known = scenarios.ToFrozenSet(StringComparer.Ordinal);
        _lists = lists.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Whether Redis has been read at least once.</summary>
    public bool Loaded { get; private init; } = true;

    /// <summary>The bundle whose scenarios these are; empty when there is none.</summary>
    public string ModelVersion { get; }

    /// <summary>In alphabetical order.</summary>
    public IReadOnlyList<string> Scenarios { get; }

    /// <summary>The list of the whole service.</summary>
    public FallbackList? Everywhere { get; }

    public int ListCount => _lists.Count + (Everywhere is null ? 0 : 1);

    public bool Knows(string scenario) => _known.Contains(scenario);

    public FallbackList? In(string scenario) => _lists.GetValueOrDefault(scenario);
}
