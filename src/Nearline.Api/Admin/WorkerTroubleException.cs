using Grpc.Core;

namespace Nearline.Api.Admin;

/// <summary>No worker could be asked; the message says why, the status what a caller who needs one is told.</summary>
internal sealed class WorkerTroubleException(StatusCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public StatusCode Code { get; } = code;
}
