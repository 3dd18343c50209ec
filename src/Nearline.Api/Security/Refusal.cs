using System.Globalization;
using Grpc.Core;

namespace Nearline.Api.Security;

/// <summary>Ends a call before its message was read, by a response that is nothing but headers.</summary>
internal static class Refusal
{
    private const string StatusHeader = "grpc-status";
    private const string MessageHeader = "grpc-message";

    /// <param name="call">The call.</param>
    /// <param name="status">Its end. The detail is ASCII without '%'.</param>
    /// <param name="retryAfter">When the caller may come back; null: not by waiting.</param>
    public static void Write(HttpContext call, Status status, TimeSpan? retryAfter = null)
    {
        var response = call.Response;
        response.ContentType = "application/grpc";
        var headers = response.Headers;
        headers[StatusHeader] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        headers[MessageHeader] = status.Detail;
        if (retryAfter is { } after)
        {
            headers[RetryHint.PushbackTrailer] = RetryHint.Milliseconds(after);
            headers[RetryHint.DetailsTrailer] = Convert.ToBase64String(RetryHint.Details(status, after));
        }
    }

    /// <summary>Whether the call ended, without an answer, by this code.</summary>
    public static bool EndedBy(HttpContext call, string code) =>
        !call.Response.HasStarted
        && call.Response.Headers.TryGetValue(StatusHeader, out var ended)
        && string.Equals(ended, code, StringComparison.Ordinal);
}
