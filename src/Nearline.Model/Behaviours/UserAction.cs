namespace Nearline.Model.Behaviours;

/// <summary>One action of one user, as training data and the event topic both tell it.</summary>
/// <param name="Kind">What the user did.</param>
/// <param name="Time">When, by the producer's clock.</param>
public sealed record UserAction(ActionKind Kind, DateTimeOffset Time)
{
    /// <summary>The show; needed by every kind that is about a show.</summary>
    public string? ShowId { get; init; }

    /// <summary>The episode within the show, for <see cref="ActionKind.Watch"/>; null for films.</summary>
    public string? EpisodeId { get; init; }

    /// <summary>How long was played, for <see cref="ActionKind.Watch"/>; null when unknown.</summary>
    public TimeSpan? Played { get; init; }

    /// <summary>How long the episode or film lasts; null when unknown.</summary>
    public TimeSpan? Length { get; init; }

    /// <summary>The scenario in which the user acted, if known.</summary>
    public string? Scenario { get; init; }

    /// <summary>The device type, if known.</summary>
    public string? Device { get; init; }

    /// <summary>Whether the user opened what was shown, for <see cref="ActionKind.Impression"/>.</summary>
    public bool Clicked { get; init; }

    /// <summary>Attributes to set, for <see cref="ActionKind.ProfileUpdate"/>; an empty value removes one.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>The scenarios in which the user is served, for <see cref="ActionKind.ProfileUpdate"/>; null or empty: unchanged.</summary>
    public IReadOnlyList<string>? Scenarios { get; init; }
}
