namespace Nearline.Worker.Pipeline;

/// <summary>The model fails for every user, so no single user is to blame.</summary>
internal sealed class ModelFailedException(string version, Exception inner)
    : Exception($"model {version} fails for every user: {inner.Message}", inner);
