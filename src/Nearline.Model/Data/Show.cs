using Nearline.Model.Behaviours;

namespace Nearline.Model.Data;

/// <summary>One show of a catalog: a series, a film or a live programme.</summary>
/// <param name="Id">The show's id, the paper's main ID.</param>
/// <param name="Category">Its category.</param>
public sealed record Show(string Id, ShowCategory Category)
{
    /// <summary>What people read.</summary>
    public string Title { get; init; } = "";

    /// <summary>Genres, themes.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Actors, presenters.</summary>
    public IReadOnlyList<string> Cast { get; init; } = [];

    /// <summary>Who directed it.</summary>
    public IReadOnlyList<string> Directors { get; init; } = [];

    /// <summary>Franchises, studios, channels.</summary>
    public IReadOnlyList<string> Brands { get; init; } = [];

    /// <summary>A synopsis.</summary>
    public string Description { get; init; } = "";

    /// <summary>The year of release; null when unknown.</summary>
    public int? ReleaseYear { get; init; }

    /// <summary>Recommended from this time on; null: always.</summary>
    public DateTimeOffset? AvailableFrom { get; init; }

    /// <summary>Recommended before this time; null: always.</summary>
    public DateTimeOffset? AvailableUntil { get; init; }
}
