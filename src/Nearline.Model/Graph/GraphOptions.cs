namespace Nearline.Model.Graph;

/// <summary>How <see cref="GraphSage"/> makes one vector of a node's neighbours.</summary>
public enum GraphAggregator
{
    /// <summary>The largest of relu(W h + b) over the neighbours, number by number: the paper's.</summary>
    Pooling = 0,

    /// <summary>Their mean.</summary>
    Mean = 1,

    /// <summary>Their sum after a linear map, weighted by an additive attention of the node to each.</summary>
    Attention = 2,
}

/// <summary>The shape of a <see cref="GraphSage"/> and how it is trained.</summary>
public sealed record GraphOptions
{
    /// <summary>Numbers of a show's embedding; the model that takes it must have the same.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Numbers of a node's input, of its state after the first layer, and of what is pooled.</summary>
    public int Hidden { get; init; } = 64;

    /// <summary>The aggregator of both layers.</summary>
    public GraphAggregator Aggregator { get; init; } = GraphAggregator.Pooling;

    /// <summary>Neighbours sampled in training: of a show, once for both layers, and of each of those.</summary>
    public IReadOnlyList<int> FanOuts { get; init; } = [20, 10];

    /// <summary>Random walks from each show an epoch.</summary>
    public int Walks { get; init; } = 10;

    /// <summary>Shows met on a walk, each a positive of the show that it began at.</summary>
    public int WalkLength { get; init; } = 1;

    /// <summary>Negatives drawn for each batch.</summary>
    public int Negatives { get; init; } = 512;

    /// <summary>A pair's logit is its cosine divided by this.</summary>
    public double Temperature { get; init; } = 0.2;

    /// <summary>Times that the walks are drawn.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Pairs a step.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>Adam's learning rate, which falls linearly to zero.</summary>
    public double LearningRate { get; init; } = 0.002;

    /// <summary>Seed of weights, walks and samples.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>CPU threads of torch; 0: half the cores.</summary>
    public int Threads { get; init; }

    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Checks that the numbers make a training.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it.</exception>
    public void Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(Width), Width), (nameof(Hidden), Hidden), (nameof(Walks), Walks), (nameof(WalkLength), WalkLength),
            (nameof(Negatives), Negatives), (nameof(Epochs), Epochs), (nameof(BatchSize), BatchSize),
        })
        {
            Check(name, $"{value}", value >= 1, "at least 1");
        }

        Check(nameof(FanOuts), string.Join(",", FanOuts), FanOuts.Count == 2 && FanOuts.All(f => f >= 1), "two numbers, each at least 1");
        Check(nameof(Aggregator), $"{Aggregator}", Enum.IsDefined(Aggregator), $"one of {string.Join(", ", Enum.GetNames<GraphAggregator>())}");
        Check(nameof(Temperature), $"{Temperature}", Temperature is > 0 and <= 100, "above 0, at most 100");
        Check(nameof(LearningRate), $"{LearningRate}", LearningRate is > 0 and < 10, "above 0, below 10");
        Check(nameof(Threads), $"{Threads}", Threads >= 0, "0 or more");
    }

    private static void Check(string name, string value, bool isGood, string rule)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {value}; must be {rule}", name);
        }
    }
}
