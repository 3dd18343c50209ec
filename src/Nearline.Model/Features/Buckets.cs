using System.Numerics;

namespace Nearline.Model.Features;

/// <summary>
/// Quantities as categories (paper, section 3.2: features are indexed into multi-field categorical form). Bucket 0 of
/// every scale is "not known". Changing a scale changes what trained weights mean: raise
/// <see cref="FeatureSchema.CurrentVersion"/> with it.
/// </summary>
internal static class Buckets
{
    /// <summary>Buckets of <see cref="EpisodeCount"/>.</summary>
    public const int EpisodeCounts = 8;

    /// <summary>Buckets of <see cref="Playback"/>.</summary>
    public const int Playbacks = 14;

    /// <summary>Buckets of <see cref="PlaybackShare"/>.</summary>
    public const int PlaybackShares = 12;

    /// <summary>Buckets of <see cref="Elapsed"/>.</summary>
    public const int Elapseds = 26;

    /// <summary>Buckets of <see cref="Distance"/>.</summary>
    public const int Distances = 14;

    /// <summary>Distinct episodes: 1, 2, 3 to 4, 5 to 8, ... 33 and more.</summary>
    public static int EpisodeCount(int episodes) =>
        episodes <= 0 ? 0 : Math.Min(1 + CeilLog2((ulong)episodes), EpisodeCounts - 1);

    /// <summary>Seconds played: under 15 s, then doubling.</summary>
    public static int Playback(double seconds) =>
        seconds <= 0 ? 0 : Math.Min(1 + BitLength((ulong)(seconds / 15)), Playbacks - 1);

    /// <summary>Seconds played over seconds that the played things last: tenths, and one for more than the whole.</summary>
    public static int PlaybackShare(double played, double length) =>
        length <= 0 || played < 0 ? 0 : 1 + (int)Math.Min(Math.Floor(played / length * 10), PlaybackShares - 2);

    /// <summary>Time since something: none, under a minute, then doubling minutes up to years.</summary>
    public static int Elapsed(TimeSpan time)
    {
        var seconds = time.TotalSeconds;
        return seconds < 1 ? 1 : Math.Min(2 + BitLength((ulong)(seconds / 60)), Elapseds - 1);
    }

    /// <summary>Behaviours between two, by their places: exact below 8, then doubling.</summary>
    public static int Distance(int distance) =>
        distance < 8 ? 1 + distance : Math.Min(5 + BitLength((ulong)distance), Distances - 1);

    private static int BitLength(ulong value) => 64 - BitOperations.LeadingZeroCount(value);

    private static int CeilLog2(ulong value) => BitLength(value - 1);
}
