using Nearline.Model.Behaviours;

namespace Nearline.Model.Features;

/// <summary>
/// The behaviour sequences of a user: watches split by category (paper, section 4.3.1), the rarer kinds whole.
/// </summary>
public enum SequenceSlot
{
    /// <summary>Watched series; without categorization every watched show.</summary>
    WatchedSeries = 0,

    /// <summary>Watched films.</summary>
    WatchedMovies = 1,

    /// <summary>Watched live broadcasts.</summary>
    WatchedLive = 2,

    /// <summary>Saved shows of any category.</summary>
    Saved = 3,

    /// <summary>Liked shows of any category.</summary>
    Liked = 4,

    /// <summary>Disliked shows of any category.</summary>
    Disliked = 5,
}

/// <summary>Which behaviour belongs to which sequence.</summary>
internal static class SequenceSlots
{
    /// <summary>Sequences a user has.</summary>
    public const int Count = 6;

    /// <summary>Those that can hold behaviours.</summary>
    /// <param name="categorize">Whether watches are split by category.</param>
    public static IReadOnlyList<int> Used(bool categorize) =>
        [.. Enumerable.Range(0, Count).Where(s => categorize || s is not ((int)SequenceSlot.WatchedMovies or (int)SequenceSlot.WatchedLive))];

    /// <summary>The sequence of a kind of behaviour with a show of a category.</summary>
    /// <param name="kind">What was done.</param>
    /// <param name="category">The category of the show.</param>
    /// <param name="categorize">Whether watches are split by category.</param>
    public static SequenceSlot Of(BehaviourKind kind, ShowCategory category, bool categorize = true) => kind switch
    {
        BehaviourKind.Save => SequenceSlot.Saved,
        BehaviourKind.Like => SequenceSlot.Liked,
        BehaviourKind.Dislike => SequenceSlot.Disliked,
        _ when !categorize => SequenceSlot.WatchedSeries,
        _ => category switch
        {
            ShowCategory.Series => SequenceSlot.WatchedSeries,
            ShowCategory.Movie => SequenceSlot.WatchedMovies,
            ShowCategory.Live => SequenceSlot.WatchedLive,
            _ => throw new ArgumentOutOfRangeException(nameof(category), category, "category: not one of Series, Movie, Live"),
        },
    };
}
