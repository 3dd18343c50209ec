namespace Nearline.Model.Evaluation;

/// <summary>Shape and training of <see cref="Sasrec"/>. Defaults suit MovieLens 100K; docs/evaluation.md has those of other sets.</summary>
public sealed record SasrecOptions
{
    /// <summary>Width d of embeddings and hidden states.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Self-attention blocks.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Attention heads, a divisor of <see cref="Width"/>.</summary>
    public int Heads { get; init; } = 2;

    /// <summary>Latest watches that are read, in training as in serving.</summary>
    public int MaxLength { get; init; } = 200;

    /// <summary>Dropout on the input, on attention weights and on what blocks add.</summary>
    public double Dropout { get; init; } = 0.5;

    /// <summary>Adam's learning rate, the same at every step.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>Users a step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Passes over the users at most.</summary>
    public int Epochs { get; init; } = 200;

    /// <summary>Epochs without a better NDCG@10 on the validation targets after which training ends; 0: never early.</summary>
    public int Patience { get; init; } = 20;

    /// <summary>Seed of weights, order and dropout.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>CPU threads of torch in this process; 0: half the cores.</summary>
    public int Threads { get; init; }

    /// <summary>"cpu", "cuda", or "auto": cuda where there is one.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names it.</exception>
    public void Validate()
    {
        foreach (var (name, value, least) in new[]
        {
            (nameof(Width), Width, 1), (nameof(Layers), Layers, 1), (nameof(Heads), Heads, 1), (nameof(MaxLength), MaxLength, 1),
            (nameof(BatchSize), BatchSize, 1), (nameof(Epochs), Epochs, 1), (nameof(Patience), Patience, 0), (nameof(Threads), Threads, 0),
        })
        {
            Check(name, value, value >= least, $"at least {least}");
        }

        Check(nameof(Heads), Heads, Width % Heads == 0, $"a divisor of {nameof(Width)}, {Width}");
        Check(nameof(Dropout), Dropout, Dropout is >= 0 and < 1, "from 0 to below 1");
        Check(nameof(LearningRate), LearningRate, LearningRate > 0, "above 0");
    }

    private static void Check(string name, double value, bool isGood, string rule)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {value}; must be {rule}", name);
        }
    }
}
