namespace Nearline.Model.Behaviours;

/// <summary>
/// All that a user did with one show in one way, aggregated over its episodes (paper, section 3.2: otherwise
/// long-running series would dominate the sequences).
/// </summary>
/// <param name="Kind">The kind of behaviour.</param>
/// <param name="ShowId">The show, the paper's main ID.</param>
public sealed record ShowBehaviour(BehaviourKind Kind, string ShowId)
{
    /// <summary>How many episodes are told apart before further ones are only counted.</summary>
    public const int MaxEpisodeHashes = 32;

    /// <summary>A show counts as watched from this much playback on (paper, section 5.1.1).</summary>
    public static readonly TimeSpan WatchedAfter = TimeSpan.FromMinutes(2);

    /// <summary>Distinct episodes; 1 for films and for kinds other than watch.</summary>
    public int Episodes { get; init; } = 1;

    /// <summary>Seconds played over all episodes; 0 when no event told.</summary>
    public double PlayedSeconds { get; init; }

    /// <summary>Seconds that the played episodes last, summed over the events that told.</summary>
    public double LengthSeconds { get; init; }

    /// <summary>The earliest event's time.</summary>
    public DateTimeOffset FirstTime { get; init; }

    /// <summary>The latest event's time; event time, not arrival.</summary>
    public DateTimeOffset LastTime { get; init; }

    /// <summary>Breaks ties of <see cref="LastTime"/>: the order of arrival of the latest event.</summary>
    public ulong Order { get; init; }

    /// <summary>Taken back by a later unsave, like or dislike. Kept, so that a late event does not revive it.</summary>
    public bool Retracted { get; init; }

    /// <summary>Hashes of the episodes counted, at most <see cref="MaxEpisodeHashes"/>.</summary>
    public IReadOnlyList<uint> EpisodeHashes { get; init; } = [];

    /// <summary>Whether an event did not tell how long was played; a short playback beside it does not change that.</summary>
    public bool HasUntoldPlayback { get; init; }

    /// <summary>Whether the show is left out of sets: played for two minutes, or for an unknown time.</summary>
    public bool IsWatched =>
        Kind == BehaviourKind.Watch && (HasUntoldPlayback || PlayedSeconds <= 0 || PlayedSeconds >= WatchedAfter.TotalSeconds);
}
