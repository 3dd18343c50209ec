using System.Text.Json.Serialization;

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

    /// <summary>
    /// <see cref="Small"/> with self-attention that looks back only, for training at all positions, under the name
    /// m5-causal; its departures are in docs/model.md.
    /// </summary>
    public static M5Config SmallCausal { get; } = Small with
    {
        Name = "m5-causal",
        Causal = true,
        EncoderDropout = 0.4,
        MaxLength = 100,
        MeanPooling = true,
        LastWatchStart = 1,
        InterestStart = 1,
        PreNorm = true,
        ContentInId = true,
        InitScale = 0.05,
    };

    /// <summary>The presets.</summary>
    public static IReadOnlyList<M5Config> Presets { get; } = [Paper, Small, SmallCausal];

    /// <summary>The preset's name.</summary>
    public string Name { get; init; } = "m5-paper";

    /// <summary>The variant of the preset, a name of <see cref="M5Variants"/>.</summary>
    public string Variant { get; init; } = M5Variants.Default;

    /// <summary>Which channels make the score.</summary>
    public ModelChannels Channels { get; init; } = ModelChannels.IdAndCg;

    /// <summary>What the CG channel's embeddings are.</summary>
    public CgSource CgSource { get; init; } = CgSource.Graph;

    /// <summary>The ID channel's interests.</summary>
    public InterestExtraction IdInterests { get; init; } = InterestExtraction.SelfAttentionSin;

    /// <summary>The CG channel's interests.</summary>
    public InterestExtraction CgInterests { get; init; } = InterestExtraction.Sin;

    /// <summary>Whether watches are split into sequences by category; otherwise they are one.</summary>
    public bool Categorize { get; init; } = true;

    /// <summary>Whether behaviours are decorated with the subsidiary features.</summary>
    public bool Decorate { get; init; } = true;

    /// <summary>Whether the scenario is a feature, crossed with the others.</summary>
    public bool ScenarioIndicator { get; init; } = true;

    /// <summary>What makes user embeddings of the features.</summary>
    public ScenarioMixing Mixing { get; init; } = ScenarioMixing.SplitExperts;

    /// <summary>With <see cref="ScenarioMixing.CustomizedGates"/>, the levels: 1 is CGC, more are PLE.</summary>
    public int MixingLevels { get; init; } = 1;

    /// <summary>
    /// With <see cref="ScenarioMixing.CustomizedGates"/>, a scenario's own experts on each level, beside
    /// <see cref="Experts"/> shared ones.
    /// </summary>
    public int ScenarioExperts { get; init; } = 1;

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

    /// <summary>Experts of each SMoE, n_exp; the shared ones of CGC.</summary>
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

    /// <summary>
    /// Length of the content embeddings that the CG table starts from; 0: about that of random ones. The longer, the more
    /// the CG channel says before it has learned, and all along where it does not learn.
    /// </summary>
    public double CgLength { get; init; }

    /// <summary>Departure: divide the weighted sums by the sum of the intensities.</summary>
    public bool MeanPooling { get; init; }

    /// <summary>
    /// Departure: the latest watch as one more field of each channel, and a residual from it to the user embedding that
    /// starts at <see cref="LastWatchStart"/>. A sum over behaviours forgets which came last.
    /// </summary>
    public bool LastWatch { get; init; }

    /// <summary>
    /// With <see cref="LastWatch"/>: the multiple of the identity that the residual starts as. At 1 the model begins as
    /// one that predicts from the last hidden state alone.
    /// </summary>
    public double LastWatchStart { get; init; }

    /// <summary>
    /// Departure, above 0: a residual from the sum of a channel's interests to its user embedding, that starts as this
    /// multiple of the identity.
    /// </summary>
    public double InterestStart { get; init; }

    /// <summary>
    /// Departure: a linear map of a show's content embedding is added to its ID embedding, on both sides, so that the
    /// self-attention knows content and rarely watched shows lean on it.
    /// </summary>
    public bool ContentInId { get; init; }

    /// <summary>
    /// Standard deviation that ID and subsidiary embeddings start with, content embeddings scaled alike; 0: 1 / sqrt(d).
    /// With small ones the softmax begins near uniform, and what few users tell of a show moves it less.
    /// </summary>
    public double InitScale { get; init; }

    /// <summary>
    /// Departure: self-attention and feed-forward normalise their inputs, not their outputs, which trains more steadily.
    /// </summary>
    public bool PreNorm { get; init; }

    /// <summary>
    /// Departure: self-attention looks back only, so that one pass over a user's log teaches every instance in it
    /// (<see cref="Training.TrainingOptions.AllPositions"/>). Age and position of a behaviour then move from its
    /// embedding to the attention's scores and to SIN's exponent.
    /// </summary>
    public bool Causal { get; init; }

    /// <summary>Width of the user embeddings and of the index's rows: 2d with two channels, d with one.</summary>
    [JsonIgnore]
    public int QueryWidth => Channels == ModelChannels.IdAndCg ? 2 * Width : Width;

    /// <summary>Standard deviation that embeddings of width d start with.</summary>
    [JsonIgnore]
    internal double EmbeddingDeviation => InitScale > 0 ? InitScale : 1 / Math.Sqrt(Width);

    /// <summary>What content embeddings, of unit length, are multiplied by where the CG table starts from them.</summary>
    [JsonIgnore]
    internal double ContentScale => CgLength > 0 ? CgLength : EmbeddingDeviation * Math.Sqrt(Width);

    /// <summary>What <see cref="Layers.BatchTensors.From"/> needs to know of it.</summary>
    [JsonIgnore]
    internal int LookBack => Causal ? MaxLength : 0;

    /// <summary>Subsidiary features embedded with a behaviour, n_sub.</summary>
    [JsonIgnore]
    internal int EmbeddedSubsidiaries => !Decorate ? 0 : Causal ? Features.Subsidiaries.TimelessCount : Features.Subsidiaries.Count;

    /// <summary>Whether there are CG embeddings of any source.</summary>
    [JsonIgnore]
    internal bool HasCg => Channels != ModelChannels.Id;

    /// <summary>Whether they are a table started from the content graph.</summary>
    [JsonIgnore]
    internal bool HasCgTable => HasCg && CgSource == CgSource.Graph;

    /// <summary>Whether they are made of raw metadata.</summary>
    [JsonIgnore]
    internal bool HasRawMetadata => HasCg && CgSource == CgSource.RawMetadata;

    /// <summary>The preset of a name.</summary>
    /// <exception cref="ArgumentException">No preset has the name.</exception>
    public static M5Config ByName(string name) =>
        Presets.FirstOrDefault(p => p.Name == name) ?? throw new ArgumentException(
            $"config: '{name}' is not a preset; there are {string.Join(", ", Presets.Select(p => p.Name))}", nameof(name));

    /// <summary>Checks that the numbers make a model.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it.</exception>
    public void Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(Width), Width), (nameof(TagWidth), TagWidth), (nameof(FieldWidth), FieldWidth),
            (nameof(ScenarioWidth), ScenarioWidth), (nameof(Layers), Layers), (nameof(HeadWidth), HeadWidth),
            (nameof(FeedForward), FeedForward), (nameof(Experts), Experts), (nameof(ExpertWidth), ExpertWidth),
            (nameof(Hidden), Hidden), (nameof(MaxLength), MaxLength), (nameof(MixingLevels), MixingLevels),
            (nameof(ScenarioExperts), ScenarioExperts),
        })
        {
            Check(name, value, value >= 1, "at least 1");
        }

        Check(nameof(HeadWidth), HeadWidth, Width % HeadWidth == 0, $"a divisor of {nameof(Width)}, {Width}");
        Check(nameof(SinHidden), SinHidden.DefaultIfEmpty(1).Min(), SinHidden.All(width => width >= 1), "at least 1");
        Check(nameof(InputDropout), InputDropout, InputDropout is >= 0 and < 1, "from 0 to below 1");
        Check(nameof(InitScale), InitScale, InitScale is >= 0 and < 10, "from 0 to below 10");
        Check(nameof(CgLength), CgLength, CgLength is >= 0 and < 1e3, "0 or more, below 1000");
        Check(nameof(LastWatchStart), LastWatchStart, double.IsFinite(LastWatchStart), "a finite number");
        Check(nameof(InterestStart), InterestStart, InterestStart is >= 0 and < 1e3, "0 or more, below 1000");
        Check(nameof(EncoderDropout), EncoderDropout, EncoderDropout is >= 0 and < 1, "from 0 to below 1");
        CheckIsDefined(nameof(Channels), Channels);
        CheckIsDefined(nameof(CgSource), CgSource);
        CheckIsDefined(nameof(IdInterests), IdInterests);
        CheckIsDefined(nameof(CgInterests), CgInterests);
        CheckIsDefined(nameof(Mixing), Mixing);
        Check(nameof(ContentInId), !ContentInId || HasCg, "true without a CG channel; it needs content embeddings");
        if (HasRawMetadata)
        {
            Check(nameof(Width), Width, Width >= 4, "at least 4 with raw metadata, whose fields share it");
            Check(nameof(TrainCg), TrainCg, "False; embeddings of raw metadata start at random and must learn");
        }

        // A name that does not tell the shape would mislead whoever compares bundles.
        Check(nameof(Variant), M5Variants.ByName(Variant).Of(this) == this, $"'{Variant}'; the other options are not that variant's");
    }

    private static void CheckIsDefined<T>(string name, T value)
        where T : struct, Enum
    {
        Check(name, Enum.IsDefined(value), $"{value}; must be one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    private static void Check(string name, double value, bool isGood, string rule) =>
        Check(name, isGood, $"{value}; must be {rule}");

    private static void Check(string name, bool isGood, string problem)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {problem}", name);
        }
    }
}
