namespace Nearline.Api.Storage;

/// <summary>Redis did not answer: not connected, too late, refusing, or not asked because the circuit is open.</summary>
internal sealed class RedisTroubleException(string message, Exception inner) : Exception(message, inner);
