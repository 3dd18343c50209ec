using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Nearline.Api.Calls;
using Nearline.Api.Overload;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Security;

/// <summary>
/// Stands before all that comes over HTTP/2: who calls, whether they may, and whether there is room, all before a byte
/// of the message is read.
/// </summary>
internal sealed class CallGuard(
    ClientRegistry clients, AdmissionGate gate, WorkQueue queue, ApiMetrics metrics, IOptions<ApiOptions> options)
{
    private const string TimeoutHeader = "grpc-timeout";
    private const string GrpcContent = "application/grpc";
    private const int MaxOpenStreams = 1000;

    // What a handler throws gets its status from the interceptor; this one is left for messages that are none.
    private const string Unknown = "2";

    // One text for all causes: it must not tell a guesser how near the guess was.
    private static readonly Status Unauthenticated = new(
        StatusCode.Unauthenticated,
        "The caller is not known; send the header 'authorization: Bearer KEY' with a key of this service, or a client certificate that is listed.");

    private static readonly Status Malformed = new(
        StatusCode.InvalidArgument, "The request does not hold one protobuf message of the type that this method takes.");

    private static readonly Status NoRoom = new(StatusCode.ResourceExhausted, "Too many health streams are open; ask by Check.");

    private readonly ConcurrentDictionary<Endpoint, CallPolicy> _policies = new();
    private readonly StringValues _defaultTimeout = options.Value.DefaultDeadline > TimeSpan.Zero
        ? ((long)options.Value.DefaultDeadline.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "m"
        : StringValues.Empty;

    private int _openStreams;

    public Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (!HttpProtocol.IsHttp2(call.Request.Protocol))
        {
            // The endpoint of metrics and probes, which holds nothing of users.
            return next(call);
        }

        queue.Begun();
        if (call.Request.ContentType?.StartsWith(GrpcContent, StringComparison.OrdinalIgnoreCase) != true)
        {
            // Nor are those pages served where users' candidates are.
            call.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        var policy = call.GetEndpoint() is { } endpoint
            ? _policies.GetOrAdd(endpoint, static e => CallPolicy.Of(e))
            : CallPolicy.Unmapped;
        if (policy.Access == Access.Open)
        {
            return policy.IsUnary ? next(call) : RunOpenStreamAsync(call, next);
        }

        var directory = clients.Current;
        var client = directory.Identify(call);
        if (BucketOf(directory, client, call) is { } bucket && !bucket.TryTake(out var retryAfter))
        {
            return Refuse(call, policy, "rate", RateExceeded(client), retryAfter);
        }

        if (client is null)
        {
            return Refuse(call, policy, "unauthenticated", Unauthenticated);
        }

        if (policy.Access == Access.Role && (client.Roles & policy.Required) == Roles.None)
        {
            return Refuse(call, policy, "permission", Denied(client, policy));
        }

        if (policy.IsShed && gate.Refusal(stream: !policy.IsUnary) is { } full)
        {
            return Refuse(call, policy, reason: null, full, RetryHint.AfterOverload());
        }

        return RunAsync(call, policy, next);
    }

    /// <summary>Counts a call as so many: what is in its message was not known when it was let in.</summary>
    public void Charge(ServerCallContext context, int calls)
    {
        var directory = clients.Current;
        if (calls > 1 && context.GetHttpContext() is { } call
            && BucketOf(directory, directory.Identify(call), call) is { } bucket)
        {
            bucket.Charge(calls - 1);
        }
    }

    private static TokenBucket? BucketOf(ClientDirectory directory, Client? client, HttpContext call) =>
        client is { Name.Length: > 0 } ? client.Calls : directory.Addresses?.Of(call.Connection.RemoteIpAddress);

    private async Task RunAsync(HttpContext call, CallPolicy policy, RequestDelegate next)
    {
        if (policy.IsUnary && _defaultTimeout.Count > 0 && !call.Request.Headers.ContainsKey(TimeoutHeader))
        {
            // As if the caller had said so: the deadline then ends what hangs, whatever it hangs on.
            call.Request.Headers[TimeoutHeader] = _defaultTimeout;
        }

        await next(call);
        if (policy.Method is not null && Refusal.EndedBy(call, Unknown))
        {
            _ = Refuse(call, policy, "malformed", Malformed);
        }
    }

    private async Task RunOpenStreamAsync(HttpContext call, RequestDelegate next)
    {
        try
        {
            if (Interlocked.Increment(ref _openStreams) > MaxOpenStreams)
            {
                Refusal.Write(call, NoRoom, RetryHint.AfterOverload());
                return;
            }

            await next(call);
        }
        finally
        {
            Interlocked.Decrement(ref _openStreams);
        }
    }

    private Task Refuse(HttpContext call, CallPolicy policy, string? reason, Status status, TimeSpan? retryAfter = null)
    {
        if (reason is not null)
        {
            metrics.Refused(reason);
        }

        if (policy.Method is not null)
        {
            metrics.Call(policy.Method, StatusNames.Of(status.StatusCode), failed: false, TimeSpan.Zero);
        }

        Refusal.Write(call, status, retryAfter);
        return Task.CompletedTask;
    }

    private static Status RateExceeded(Client? client) => new(
        StatusCode.ResourceExhausted,
        client is { Name.Length: > 0 }
            ? $"Client '{client.Name}' calls more often than it may (CallsPerSecond); try again when the retry hint says."
            : "Calls come from this address more often than they may (Api:CallsPerSecond); try again when the retry hint says.");

    private static Status Denied(Client client, CallPolicy policy)
    {
        var role = ClientSettings.RoleNames[policy.Required == Roles.Candidates ? 0 : 1];
        return new Status(
            StatusCode.PermissionDenied,
            client.Name.Length > 0
                ? $"Client '{client.Name}' does not have the role '{role}', which this method asks for."
                : $"This method asks for the role '{role}', which callers without a name do not have.");
    }
}
