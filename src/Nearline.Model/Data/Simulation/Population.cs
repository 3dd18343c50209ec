using System.Globalization;

namespace Nearline.Model.Data.Simulation;

/// <summary>Makes the users.</summary>
internal sealed class Population
{
    public static readonly string[] Regions = ["north", "south", "east", "west"];
    public static readonly string[] Devices = ["tv", "phone", "tablet", "web"];

    private const double GroupTilt = 0.45;
    private const double ProfileGapShare = 0.05;
    private const double LateJoinShare = 0.06;

    private static readonly string[] Genders = ["F", "M"];
    private static readonly string[] Ages = ["18-24", "25-34", "35-44", "45-54", "55-64", "65-plus"];

    private readonly SimWorld world;
    private readonly double[][] genderTilts;
    private readonly double[][] ageTilts;
    private readonly double[][] regionTilts;

    public Population(SimWorld world)
    {
        this.world = world;
        var random = new SimRandom(world.Options.Seed, SimStream.User, -1);
        genderTilts = Tilts(random, Genders.Length);
        ageTilts = Tilts(random, Ages.Length);
        regionTilts = Tilts(random, Regions.Length);
    }

    public SimUser NewUser(int index)
    {
        var options = world.Options;
        var random = new SimRandom(options.Seed, SimStream.User, index);
        var (gender, age, region) = (random.Below(Genders.Length), random.Below(Ages.Length), random.Below(Regions.Length));
        var isLive = random.Chance(options.LiveSubscriberShare);

        // What the profile tells leans the user towards themes; the users of a group differ far more among themselves.
        var lean = new double[world.ThemeCount];
        for (var theme = 0; theme < lean.Length; theme++)
        {
            lean[theme] = genderTilts[gender][theme] + ageTilts[age][theme] + regionTilts[region][theme];
        }

        var loved = Interests(random, lean, category: null);
        var taste = new double[SimWorld.Categories][];
        for (var category = 0; category < taste.Length; category++)
        {
            // Half of a category's interests are the user's own everywhere, half are of this category alone.
            var own = Interests(random, lean, category);
            taste[category] = [.. own.Select((weight, theme) => weight + (loved[theme] * Theme.All[theme].In(category)))];
            SimUser.Normalize(taste[category]);
        }

        double[] shares =
        [
            SimMath.Exp(0.6 * random.Normal()), 0.7 * SimMath.Exp(0.6 * random.Normal()), 0.8 * SimMath.Exp(0.6 * random.Normal()),
        ];
        shares[SimWorld.Live] = isLive ? shares[SimWorld.Live] : 0;
        var attributes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Tell("gender", Genders[gender]);
        Tell("age", Ages[age]);
        Tell("region", Regions[region]);
        var subscription = isLive ? "live" : "vod";
        return new SimUser
        {
            Index = index,
            Profile = new UserProfile(string.Create(CultureInfo.InvariantCulture, $"u-{index:D6}"))
            {
                Attributes = attributes,
                Scenarios = [subscription + "-local", subscription + "-global"],
            },
            IsLiveSubscriber = isLive,
            Region = region,
            JoinDay = random.Chance(LateJoinShare) ? random.Below(options.Days) : 0,
            Taste = taste,
            Hidden = [.. Enumerable.Range(0, SimShow.HiddenDimensions).Select(_ => random.Normal())],
            CategoryShares = shares,

            // Log-normal with the mean asked for: exp of deviation 0.6 has mean exp(0.18).
            SessionsPerDay = options.SessionsPerDay * SimMath.Exp((0.6 * random.Normal()) - 0.18),
            LocalShare = Math.Clamp(options.LocalShare * SimMath.Exp((0.3 * random.Normal()) - 0.045), 0, 1),
            Binge = random.Uniform(0.25, 0.75),
            Evening = 19 + random.Below(4),
            DeviceShares = [.. Devices.Select((_, i) => (i == 0 ? 2 : 1) * SimMath.Exp(0.8 * random.Normal()))],
        };

        void Tell(string name, string value)
        {
            if (!random.Chance(ProfileGapShare))
            {
                attributes.Add(name, value);
            }
        }
    }

    private double[][] Tilts(SimRandom random, int values) =>
        [.. Enumerable.Range(0, values).Select(_ =>
            Enumerable.Range(0, world.ThemeCount).Select(_ => GroupTilt * random.Normal()).ToArray())];

    // Two to four themes out of all; the rest is next to nothing.
    private double[] Interests(SimRandom random, double[] lean, int? category)
    {
        var interests = new double[lean.Length];
        var weights = new double[lean.Length];
        for (var theme = 0; theme < lean.Length; theme++)
        {
            weights[theme] = SimMath.Exp(lean[theme]) * (category is { } c ? Theme.All[theme].In(c) : 1);
        }

        for (var count = 2 + random.Below(3); count > 0; count--)
        {
            interests[random.Weighted(weights)] += random.Uniform(0.5, 1.5);
        }

        return interests;
    }
}
