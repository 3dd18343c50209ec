namespace Nearline.Model.Training;

/// <summary>How a model is trained; stored in the bundle. Defaults are the paper's (section 5.1.3).</summary>
public sealed record TrainingOptions
{
    /// <summary>The paper's training.</summary>
    public static TrainingOptions Paper { get; } = new();

    /// <summary>Training of <see cref="M5Config.Small"/> on a CPU; its departures are in docs/model.md.</summary>
    public static TrainingOptions Small { get; } = new()
    {
        Epochs = 12,
        EvaluateEvery = 2,
        Patience = 3,
        BatchSize = 128,
        SamplesPerUser = 8,
        FutureTargets = 5,
        SeparateMaskedPass = false,
        WeightAverage = 0.98,
    };

    /// <summary>Training of <see cref="M5Config.SmallCausal"/> at all positions; its departures are in docs/model.md.</summary>
    public static TrainingOptions SmallCausal { get; } = new()
    {
        Epochs = 18,
        EvaluateEvery = 2,
        Patience = 4,
        BatchSize = 2000,
        LearningRate = 0.005,
        AllPositions = true,
        ShuffleTies = true,
        CoWatchStart = 1,
        WeightAverage = 0.99,
    };

    /// <summary>Passes over the users.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Instances a step.</summary>
    public int BatchSize { get; init; } = 2048;

    /// <summary>Adam's learning rate at the first step; it falls linearly to zero at the last.</summary>
    public double LearningRate { get; init; } = 0.002;

    /// <summary>Weight of the MLM loss in equation 9, alpha.</summary>
    public double Alpha { get; init; } = 0.1;

    /// <summary>Weight of the disagreement loss in equation 9, beta.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>Share of main IDs that MLM masks.</summary>
    public double MaskRate { get; init; } = 0.2;

    /// <summary>
    /// Whether MLM has a pass of its own. Otherwise the masked sequences are those that the user embedding is made of
    /// too: half the work in the self-attention, and masking is noise that the matching loss learns to bear.
    /// </summary>
    public bool SeparateMaskedPass { get; init; } = true;

    /// <summary>Instances of a user an epoch, drawn anew in each; 0: all.</summary>
    public int SamplesPerUser { get; init; }

    /// <summary>
    /// Departure: a pass over a user's log has every watch in it as an instance, instead of a pass for each. Needs
    /// <see cref="M5Config.Causal"/>; <see cref="SamplesPerUser"/> does not count then.
    /// </summary>
    public bool AllPositions { get; init; }

    /// <summary>With <see cref="AllPositions"/>: behaviours of a user that a pass covers, a random run of longer logs.</summary>
    public int WindowLength { get; init; } = 100;

    /// <summary>
    /// With <see cref="AllPositions"/>: actions of one instant come in random order, anew in each epoch, since their
    /// order tells nothing.
    /// </summary>
    public bool ShuffleTies { get; init; }

    /// <summary>
    /// How many of the next unfamiliar watches an instance has as targets; 1 is the paper's. More are a departure: they
    /// share one user embedding, so that a costly pass teaches more.
    /// </summary>
    public int FutureTargets { get; init; } = 1;

    /// <summary>What each later target weighs of the one before it.</summary>
    public double FutureDecay { get; init; } = 0.9;

    /// <summary>
    /// How many shows a watched one counts for in the softmax's sum: 0, the default, leaves it out, since sets never
    /// contain it; 1 is the paper's; more pushes it down, for sets that are measured unfiltered.
    /// </summary>
    public double WatchedWeight { get; init; }

    /// <summary>
    /// Negatives drawn a step, shared by its instances, that stand for the catalog in the softmaxes of matching and MLM,
    /// with log-Q correction; 0: the whole catalog. For catalogs whose scores of a batch are too many.
    /// </summary>
    public int SoftmaxNegatives { get; init; }

    /// <summary>
    /// Departure: ID embeddings start as embeddings of what is watched close together, times this; 0: at random.
    /// </summary>
    public double CoWatchStart { get; init; }

    /// <summary>
    /// Departure: weight of equation 7 for the CG channel alone, u^CG and E^CG, so that it finds shows without the ID
    /// channel's help, as it must new ones; 0: none. Needs two channels.
    /// </summary>
    public double CgLoss { get; init; }

    /// <summary>The gradient's norm is cut to this; 0: never.</summary>
    public double GradientClip { get; init; } = 5;

    /// <summary>Decay a step of the moving average of the weights that is evaluated and kept; 0: the weights themselves.</summary>
    public double WeightAverage { get; init; }

    /// <summary>Epochs between evaluations on the validation targets; the last epoch is always evaluated.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>Evaluations without a better average HR@20 after which training ends; 0: never early.</summary>
    public int Patience { get; init; } = 5;

    /// <summary>Seed of weights, drawing, masking and dropout.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>CPU threads of torch in this process; 0: half the cores.</summary>
    public int Threads { get; init; }

    /// <summary>"cpu", "cuda", or "auto": cuda where there is one.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The training of the preset of a name.</summary>
    /// <exception cref="ArgumentException">No preset has the name.</exception>
    public static TrainingOptions ByName(string name) => M5Config.ByName(name).Name switch
    {
        "m5-small" => Small,
        "m5-causal" => SmallCausal,
        _ => Paper,
    };

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names it.</exception>
    public void Validate()
    {
        Check(nameof(Epochs), Epochs, Epochs >= 1, "at least 1");
        Check(nameof(BatchSize), BatchSize, BatchSize >= 1, "at least 1");
        Check(nameof(LearningRate), LearningRate, LearningRate > 0, "above 0");
        Check(nameof(Alpha), Alpha, Alpha >= 0, "0 or more");
        Check(nameof(Beta), Beta, Beta >= 0, "0 or more");
        Check(nameof(MaskRate), MaskRate, MaskRate is >= 0 and < 1, "from 0 to below 1");
        Check(nameof(SamplesPerUser), SamplesPerUser, SamplesPerUser >= 0, "0 or more");
        Check(nameof(WindowLength), WindowLength, WindowLength >= 1, "at least 1");
        Check(nameof(FutureTargets), FutureTargets, FutureTargets >= 1, "at least 1");
        Check(nameof(FutureDecay), FutureDecay, FutureDecay is > 0 and <= 1, "above 0, at most 1");
        Check(nameof(WatchedWeight), WatchedWeight, WatchedWeight is >= 0 and < 1e6, "0 or more, below a million");
        Check(nameof(CoWatchStart), CoWatchStart, CoWatchStart is >= 0 and < 1e3, "0 or more, below 1000");
        Check(nameof(CgLoss), CgLoss, CgLoss is >= 0 and < 1e3, "0 or more, below 1000");
        Check(nameof(SoftmaxNegatives), SoftmaxNegatives, SoftmaxNegatives >= 0, "0 or more");
        Check(nameof(GradientClip), GradientClip, GradientClip >= 0, "0 or more");
        Check(nameof(WeightAverage), WeightAverage, WeightAverage is >= 0 and < 1, "from 0 to below 1");
        Check(nameof(EvaluateEvery), EvaluateEvery, EvaluateEvery >= 1, "at least 1");
        Check(nameof(Patience), Patience, Patience >= 0, "0 or more");
        Check(nameof(Threads), Threads, Threads >= 0, "0 or more");
    }

    private static void Check(string name, double value, bool isGood, string rule)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {value}; must be {rule}", name);
        }
    }
}
