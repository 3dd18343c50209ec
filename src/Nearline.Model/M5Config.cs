namespace Nearline.Model;

/// <summary>
/// The shape of an M5 model; stored in the bundle. Defaults are the paper's (section 5.1.3). Where the paper gives no
/// number, docs/model.md says what was chosen.
/// </summary>
public sealed record M5Config
{
    /// <summary>The paper's values, under the name m5-paper.</summary>
    public static M5Config Paper { get; } = new();

    /// <summary>A model that CPUs train in a minute or so, under the name m5-small; its departures are in docs/model.md.</summary>
    public static M5Config Small { get; } = new()
    {
        Name = "m5-small",
        Width = 64,
        TagWidth = 32,
        ScenarioWidth = 32,
        Layers = 2,
        HeadWidth = 32,
        SinHidden = [64],
        Experts = 3,
        ExpertWidth = 64,
        Hidden = 128,
        InputDropout = 0.3,
        EncoderDropout = 0.3,
        MaxLength = 50,
        LastWatch = true,
    };

    /// <summary>The preset's name.</summary>
    public string Name { get; init; } = "m5-paper";

    /// <summary>Width d of ID, CG and subsidiary embeddings and of the self-attention.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Width of the tag embeddings, the paper's categorical features.</summary>
    public int TagWidth { get; init; } = 128;

    /// <summary>Width of attribute and context fields, the paper's other demographic features.</summary>
    public int FieldWidth { get; init; } = 8;

    /// <summary>Width of the scenario indicator.</summary>
    public int ScenarioWidth { get; init; } = 128;

    /// <summary>Self-attention layers, L.</summary>
    public int Layers { get; init; } = 3;

    /// <summary>Width of an attention head.</summary>
    public int HeadWidth { get; init; } = 64;

    /// <summary>Inner width of the feed-forward network as a multiple of <see cref="Width"/>.</summary>
    public int FeedForward { get; init; } = 4;

    /// <summary>Hidden widths of the CG channel's SIN; the ID channel's is linear.</summary>
    public IReadOnlyList<int> SinHidden { get; init; } = [384, 384];

    /// <summary>Experts of each SMoE, n_exp.</summary>
    public int Experts { get; init; } = 4;

    /// <summary>Output width of an expert.</summary>
    public int ExpertWidth { get; init; } = 256;

    /// <summary>Hidden width of the MLPs in SMoE and dynamic weighting.</summary>
    public int Hidden { get; init; } = 768;

    /// <summary>Dropout on the inputs of those MLPs.</summary>
    public double InputDropout { get; init; } = 0.1;

    /// <summary>Dropout inside the self-attention encoder and on its inputs.</summary>
    public double EncoderDropout { get; init; } = 0.1;

    /// <summary>Behaviours kept of a sequence.</summary>
    public int MaxLength { get; init; } = 100;

    /// <summary>Whether the CG embeddings learn; false keeps them as the content gave them.</summary>
    public bool TrainCg { get; init; } = true;

    /// <summary>Departure: divide the weighted sums by the sum of the intensities.</summary>
    public bool MeanPooling { get; init; }

    /// <summary>
    /// Departure: the latest watch as one more field of each channel, and a residual from it to the user embedding that
    /// starts at zero. A sum over behaviours forgets which came last.
    /// </summary>
    public bool LastWatch { get; init; }

    /// <summary>The preset of a name.</summary>
    /// <exception cref="ArgumentException">No preset has the name.</exception>
    public static M5Config ByName(string name) => name switch
    {
        "m5-paper" => Paper,
        "m5-small" => Small,
        _ => throw new ArgumentException($"config: '{name}' is not a preset; there are m5-paper and m5-small", nameof(name)),
    };

    /// <summary>Checks that the numbers make a model.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it.</exception>
    public void Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(Width), Width), (nameof(TagWidth), TagWidth), (nameof(FieldWidth), FieldWidth),
            (nameof(ScenarioWidth), ScenarioWidth), (nameof(Layers), Layers), (nameof(HeadWidth), HeadWidth),
            (nameof(FeedForward), FeedForward), (nameof(Experts), Experts), (nameof(ExpertWidth), ExpertWidth),
            (nameof(Hidden), Hidden), (nameof(MaxLength), MaxLength),
        })
        {
            Check(name, value, value >= 1, "at least 1");
        }

        Check(nameof(HeadWidth), HeadWidth, Width % HeadWidth == 0, $"a divisor of {nameof(Width)}, {Width}");
        Check(nameof(SinHidden), SinHidden.DefaultIfEmpty(1).Min(), SinHidden.All(width => width >= 1), "at least 1");
        Check(nameof(InputDropout), InputDropout, InputDropout is >= 0 and < 1, "from 0 to below 1");
        Check(nameof(EncoderDropout), EncoderDropout, EncoderDropout is >= 0 and < 1, "from 0 to below 1");
    }

    private static void Check(string name, double value, bool isGood, string rule)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {value}; must be {rule}", name);
        }
    }
}
