namespace Nearline.Model.Index;

/// <summary>The backends by name.</summary>
public static class IndexBackends
{
    /// <summary>Whichever suits rows and device, by what they cost here.</summary>
    public const string Auto = "auto";

    /// <summary><see cref="ExactIndex"/>.</summary>
    public const string ExactCpu = "exact-cpu";

    /// <summary><see cref="TorchIndex"/>.</summary>
    public const string ExactTorch = "exact-torch";

    /// <summary><see cref="Hnsw.HnswIndex"/>.</summary>
    public const string Hnsw = "hnsw";

    /// <summary>All that can be asked for.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, ExactCpu, ExactTorch, Hnsw];
}
