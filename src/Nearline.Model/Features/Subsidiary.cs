namespace Nearline.Model.Features;

/// <summary>
/// The subsidiary features that decorate each behaviour (paper, section 4.3.1), in the order of the columns of
/// <see cref="EncodedBatch.Subsidiaries"/>.
/// </summary>
internal enum Subsidiary
{
    EpisodicWatchCount = 0,
    PlaybackDuration = 1,
    NormalizedPlaybackDuration = 2,
    TimeSinceEngaged = 3,
    PositionIndex = 4,
}

/// <summary>Where each subsidiary feature's rows lie in their one embedding table.</summary>
internal static class Subsidiaries
{
    /// <summary>Subsidiary features of a behaviour, the paper's n_sub.</summary>
    public const int Count = 5;

    /// <summary>The first of them, which do not depend on when the behaviour is looked at from.</summary>
    public const int TimelessCount = 3;

    /// <summary>Buckets of each feature; the position index counts from the newest behaviour of its sequence.</summary>
    public static int[] Sizes(int maxLength) =>
        [Buckets.EpisodeCounts, Buckets.Playbacks, Buckets.PlaybackShares, Buckets.Elapseds, maxLength];

    /// <summary>First row of each feature; row 0 is padding.</summary>
    public static int[] Offsets(int maxLength)
    {
        var sizes = Sizes(maxLength);
        var offsets = new int[Count];
        var next = 1;
        for (var k = 0; k < Count; k++)
        {
            offsets[k] = next;
            next += sizes[k];
        }

        return offsets;
    }

    /// <summary>Rows of the table.</summary>
    public static int Rows(int maxLength) => 1 + Sizes(maxLength).Sum();
}
