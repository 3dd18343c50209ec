namespace Nearline.Model.Data.Simulation;

/// <summary>How much one user is drawn to shows, and what is picked.</summary>
internal sealed class ShowChoice(SimWorld world, SimUser user, SimRandom random)
{
    private const double ThemeWeight = 4;
    private const double HiddenWeight = 0.7;
    private const double QualityWeight = 0.3;
    private const double GlobalPopularity = 0.9;
    private const double LocalPopularity = 0.35;
    private const double LocalExploration = 0.25;
    private const double HomeRegion = 0.8;
    private const double NewReleaseBoost = 1.5;
    private const double NewReleaseDays = 7;
    private const double TrendBoost = 1.5;
    private const double TrendDays = 3;
    private const double LiveHabit = 1.8;

    private double[] weights = [];

    /// <summary>Shows already begun; not offered again.</summary>
    public HashSet<int> Seen { get; } = [];

    /// <summary>How well a show suits the user, without fame and place: what decides how long it holds.</summary>
    public double Affinity(SimShow show)
    {
        var hidden = 0.0;
        for (var i = 0; i < SimShow.HiddenDimensions; i++)
        {
            hidden += user.Hidden[i] * show.Hidden[i];
        }

        var match = 0.0;
        foreach (var (theme, weight) in show.Themes)
        {
            match += weight * user.Taste[show.Category][theme];
        }

        return (ThemeWeight * match) + (HiddenWeight * hidden / Math.Sqrt(SimShow.HiddenDimensions)) + (QualityWeight * show.Quality);
    }

    /// <summary>Picks up to <paramref name="count"/> shows on demand of one interest that the user has not begun.</summary>
    public List<SimShow> Slate(int category, int count, bool isLocal, DateTimeOffset time)
    {
        var candidates = world.ByTheme[category][Interest(category, isLocal)];
        var slate = Draw(candidates, count, isLocal, time);

        // A small world may have nothing left of the theme.
        return slate.Count > 0
            ? slate
            : Draw([.. world.Shows.Where(s => s.Category == category)], count, isLocal, time);
    }

    /// <summary>Picks one of a day's broadcasts from a time on; null when there is none.</summary>
    public Broadcast? Live(int day, DateTimeOffset from, bool isLocal)
    {
        var broadcasts = world.Broadcasts[day];
        var span = Weights(broadcasts.Length);
        for (var i = 0; i < broadcasts.Length; i++)
        {
            var (show, start, _) = broadcasts[i];
            var habit = Seen.Contains(show.Index) ? LiveHabit : 0;
            span[i] = start < from ? 0 : SimMath.Exp(Utility(show, isLocal, start) + habit);
        }

        return random.Weighted(span) is var picked and >= 0 ? broadcasts[picked] : null;
    }

    private List<SimShow> Draw(SimShow[] candidates, int count, bool isLocal, DateTimeOffset time)
    {
        var span = Weights(candidates.Length);
        for (var i = 0; i < candidates.Length; i++)
        {
            var show = candidates[i];
            span[i] = Seen.Contains(show.Index) || !show.IsAvailable(time)
                ? 0
                : SimMath.Exp(Utility(show, isLocal, time));
        }

        var drawn = new List<SimShow>(count);
        while (drawn.Count < count && random.Weighted(span) is var picked and >= 0)
        {
            drawn.Add(candidates[picked]);
            span[picked] = 0;
        }

        return drawn;
    }

    private Span<double> Weights(int count)
    {
        if (weights.Length < count)
        {
            weights = new double[count];
        }

        return weights.AsSpan(0, count);
    }

    // One interest at a time; in a Local place part of the picks are explorations.
    private int Interest(int category, bool isLocal)
    {
        Span<double> interests = stackalloc double[world.ThemeCount];
        var tilt = isLocal ? world.LocalTilt : world.GlobalTilt;
        var even = isLocal ? LocalExploration / world.ThemeCount : 0;
        var own = isLocal ? 1 - LocalExploration : 1;
        for (var theme = 0; theme < interests.Length; theme++)
        {
            interests[theme] = ((own * user.Taste[category][theme]) + even) * SimMath.Exp(tilt[theme]);
        }

        return random.Weighted(interests);
    }

    private double Utility(SimShow show, bool isLocal, DateTimeOffset time)
    {
        var utility = Affinity(show) + ((isLocal ? LocalPopularity : GlobalPopularity) * show.Popularity);
        utility += show.Region == user.Region ? HomeRegion : 0;
        if (show.Show.AvailableFrom is { } from)
        {
            utility += NewReleaseBoost * SimMath.Exp(-(time - from).TotalDays / NewReleaseDays);
        }

        if (show.TrendDay >= 0 && (time - world.Options.Start).TotalDays - show.TrendDay is var age and >= 0)
        {
            utility += TrendBoost * SimMath.Exp(-age / TrendDays);
        }

        return utility;
    }
}
