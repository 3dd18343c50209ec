namespace Nearline.Model.Data.Simulation;

/// <summary>A user with what the profile does not tell; tastes change from day to day.</summary>
internal sealed class SimUser
{
    private const double Wander = 0.12;
    private const double JumpChance = 0.03;
    private const double LeastTaste = 0.002;

    public required int Index { get; init; }

    public required UserProfile Profile { get; init; }

    public required bool IsLiveSubscriber { get; init; }

    public required int Region { get; init; }

    /// <summary>The first day on which the user is there.</summary>
    public required int JoinDay { get; init; }

    /// <summary>[category][theme]: how much of the user's interest a theme has; adds up to 1 in a category.</summary>
    public required double[][] Taste { get; init; }

    public required double[] Hidden { get; init; }

    /// <summary>How the user's sessions divide over the categories.</summary>
    public required double[] CategoryShares { get; init; }

    public required double SessionsPerDay { get; init; }

    public required double LocalShare { get; init; }

    /// <summary>How readily the next episode follows.</summary>
    public required double Binge { get; init; }

    /// <summary>The hour around which evenings lie.</summary>
    public required int Evening { get; init; }

    /// <summary>Of <see cref="Population.Devices"/>.</summary>
    public required double[] DeviceShares { get; init; }

    /// <summary>A night passes: interests wander, and now and then one gives way to a new one.</summary>
    public void NextDay(SimRandom random)
    {
        foreach (var taste in Taste)
        {
            for (var theme = 0; theme < taste.Length; theme++)
            {
                taste[theme] *= SimMath.Exp(Wander * random.Normal());
            }

            if (random.Chance(JumpChance))
            {
                var old = random.Weighted(taste);
                var next = random.Below(taste.Length);
                (taste[old], taste[next]) = (taste[next], taste[old]);
            }

            Normalize(taste);
        }
    }

    public static void Normalize(double[] taste)
    {
        var total = 0.0;
        foreach (var weight in taste)
        {
            total += weight;
        }

        for (var theme = 0; theme < taste.Length; theme++)
        {
            taste[theme] = Math.Max(taste[theme] / total, LeastTaste);
        }
    }
}
