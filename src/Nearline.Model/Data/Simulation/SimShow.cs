namespace Nearline.Model.Data.Simulation;

/// <summary>A show with what the catalog does not tell.</summary>
internal sealed class SimShow
{
    /// <summary>Taste that no metadata tells: only behaviour shows it.</summary>
    public const int HiddenDimensions = 6;

    public required int Index { get; init; }

    public required Show Show { get; init; }

    /// <summary>0 series, 1 movie, 2 live.</summary>
    public required int Category { get; init; }

    /// <summary>What it is about; the weights add up to 1.</summary>
    public required (int Theme, double Weight)[] Themes { get; init; }

    public required double[] Hidden { get; init; }

    /// <summary>How well made it is; keeps people watching.</summary>
    public required double Quality { get; init; }

    /// <summary>How well known it is, on the scale of utilities.</summary>
    public required double Popularity { get; init; }

    /// <summary>The region that it speaks to; -1: all.</summary>
    public required int Region { get; init; }

    /// <summary>Episodes of each season; one of one for films; none for live.</summary>
    public required int[] Seasons { get; init; }

    /// <summary>Of an episode or film; how long a broadcast lasts.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>The day on which people talk about it; -1: none.</summary>
    public required int TrendDay { get; init; }

    public int EpisodeCount => Seasons.Sum();

    public bool IsAvailable(DateTimeOffset time) =>
        (Show.AvailableFrom is not { } from || time >= from) && (Show.AvailableUntil is not { } until || time < until);

    /// <summary>Such as s2e5, from a number over all seasons.</summary>
    public string EpisodeId(int episode)
    {
        var season = 0;
        while (episode >= Seasons[season])
        {
            episode -= Seasons[season++];
        }

        return $"s{season + 1}e{episode + 1}";
    }
}

/// <summary>One transmission of a live programme.</summary>
internal readonly record struct Broadcast(SimShow Show, DateTimeOffset Start, TimeSpan Length);
