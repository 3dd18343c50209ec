namespace Nearline.Bench.Swap;

/// <summary>What is asked of the index, and how often it is swapped.</summary>
internal sealed record SwapOptions(int Count, int Dimension, int Limit, int Batch, double Rate, TimeSpan Every, string Backend);
