namespace Nearline.Worker.State;

/// <summary>What is stored of a user cannot be read, and must not be overwritten.</summary>
internal sealed class UnreadableStateException(string message, Exception? inner = null) : Exception(message, inner);
