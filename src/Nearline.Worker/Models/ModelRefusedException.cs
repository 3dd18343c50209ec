namespace Nearline.Worker.Models;

/// <summary>A model is not taken over; the one before goes on.</summary>
internal sealed class ModelRefusedException(string version, string problem, Exception? inner = null)
    : Exception($"model {version}: {problem}", inner);
