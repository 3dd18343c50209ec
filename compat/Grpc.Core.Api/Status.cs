namespace Grpc.Core;

/// <summary>How a call ended: a code, a text for people, and (locally only) the exception behind it.</summary>
public struct Status
{
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    public Status(StatusCode statusCode, string detail)
        : this(statusCode, detail, null)
    {
    }

    public Status(StatusCode statusCode, string detail, Exception? debugException)
    {
        StatusCode = statusCode;
        Detail = detail;
        DebugException = debugException;
    }

    public StatusCode StatusCode { get; }

    public string Detail { get; }

    /// <summary>Never sent over the wire.</summary>
    public Exception? DebugException { get; }

    public override string ToString() =>
        DebugException is { } e
            ? $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\", DebugException=\"{e.GetType()}: {e.Message}\")"
            : $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\")";
}
