using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;

namespace Nearline.Api.Security;

/// <summary>Ends a call before its message was read, by a response that is nothing but headers.</summary>
internal static class Refusal
{
    private const int MostHints = 1000;
    private const string StatusHeader = "grpc-status";
    private const string MessageHeader = "grpc-message";

    // Under overload this is written a hundred thousand times a second, with few different values.
    private static readonly ConcurrentDictionary<(string Detail, StatusCode Code, long Milliseconds), (string Pushback, string Details)> Hints = new();

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
            var whole = (long)Math.Ceiling(after.TotalMilliseconds);
            var key = (status.Detail, status.StatusCode, whole);
            if (!Hints.TryGetValue(key, out var hint))
            {
                hint = (RetryHint.Milliseconds(after), Convert.ToBase64String(RetryHint.Details(status, after)));
                if (whole == after.TotalMilliseconds && Hints.Count < MostHints)
                {
                    Hints[key] = hint;
                }
            }

            headers[RetryHint.PushbackTrailer] = hint.Pushback;
            headers[RetryHint.DetailsTrailer] = hint.Details;
        }
    }

    /// <summary>Whether the call ended, without an answer, by this code.</summary>
    public static bool EndedBy(HttpContext call, string code) =>
        !call.Response.HasStarted
        && call.Response.Headers.TryGetValue(StatusHeader, out var ended)
        && string.Equals(ended, code, StringComparison.Ordinal);
}
