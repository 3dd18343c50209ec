namespace Nearline.Bench.Gpu;

/// <summary>Something is not as it must be.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
