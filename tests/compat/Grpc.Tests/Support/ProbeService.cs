using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Tests.Proto;

namespace Grpc.Tests.Support;

/// <summary>Does in each kind of call what the request's <c>act</c> says.</summary>
internal sealed class ProbeService(CallRecord record) : Probe.ProbeBase
{
    public const string BinaryKey = "probe-bin";

    public override async Task<ProbeReply> Unary(ProbeRequest request, ServerCallContext context)
    {
        await ActAsync(request, context);
        return request.Act switch
        {
            "null" => null!,
            "headers" => Reply(request, Seen(context)),
            _ => Reply(request),
        };
    }

    public override async Task ServerStream(
        ProbeRequest request, IServerStreamWriter<ProbeReply> responseStream, ServerCallContext context)
    {
        await ActAsync(request, context);
        for (var i = 0; i < request.Count; i++)
        {
            await responseStream.WriteAsync(new ProbeReply { Text = request.Text, Count = i, Payload = request.Payload });
        }

        if (request.Act == "fail-late")
        {
            throw new RpcException(new Status(StatusCode.Aborted, "late"));
        }

        if (request.Act == "endless")
        {
            try
            {
                for (var i = 0; ; i++)
                {
                    await responseStream.WriteAsync(new ProbeReply { Count = i }, context.CancellationToken);
                    await Task.Delay(5, context.CancellationToken);
                }
            }
            finally
            {
                record.OnEnd(request.Text, context.CancellationToken.IsCancellationRequested);
            }
        }
    }

    public override async Task<ProbeReply> ClientStream(IAsyncStreamReader<ProbeRequest> requestStream, ServerCallContext context)
    {
        var texts = new List<string>();
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                await ActAsync(requestStream.Current, context);
                if (requestStream.Current.Act == "early")
                {
                    break;
                }

                texts.Add(requestStream.Current.Text);
            }
        }
        finally
        {
            record.OnEnd("upload", context.CancellationToken.IsCancellationRequested);
        }

        return new ProbeReply { Text = string.Join(',', texts), Count = texts.Count };
    }

    public override async Task Duplex(
        IAsyncStreamReader<ProbeRequest> requestStream, IServerStreamWriter<ProbeReply> responseStream, ServerCallContext context)
    {
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await ActAsync(request, context);
            await responseStream.WriteAsync(Reply(request));
        }
    }

    private static ProbeReply Reply(ProbeRequest request, IDictionary<string, string>? seen = null)
    {
        var reply = new ProbeReply { Text = "re:" + request.Text, Count = request.Count, Payload = request.Payload };
        if (seen is not null)
        {
            reply.Seen.Add(seen);
        }

        return reply;
    }

    private static Dictionary<string, string> Seen(ServerCallContext context)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in context.RequestHeaders)
        {
            seen[entry.Key] = entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value;
        }

        seen["#method"] = context.Method;
        seen["#host"] = context.Host;
        seen["#peer"] = context.Peer;
        seen["#protocol"] = context.GetHttpContext().Request.Protocol;
        seen["#authenticated"] = context.AuthContext.IsPeerAuthenticated.ToString();
        seen["#deadline"] = context.Deadline == DateTime.MaxValue
            ? "none"
            : (context.Deadline - DateTime.UtcNow).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
        foreach (var (key, value) in context.UserState)
        {
            seen["#state:" + key] = value.ToString()!;
        }

        seen["#raw-encoding"] = context.GetHttpContext().Request.Headers["grpc-encoding"].ToString();
        seen["#raw-accept"] = context.GetHttpContext().Request.Headers["grpc-accept-encoding"].ToString();
        seen["#raw-te"] = context.GetHttpContext().Request.Headers.TE.ToString();
        return seen;
    }

    private async Task ActAsync(ProbeRequest request, ServerCallContext context)
    {
        switch (request.Act)
        {
            case "response-headers":
                await context.WriteResponseHeadersAsync(new Metadata
                {
                    { "probe-header", "early" },
                    { BinaryKey, [0, 1, 254, 255] },
                });
                break;
            case "headers-twice":
                await context.WriteResponseHeadersAsync([]);
                await context.WriteResponseHeadersAsync([]);
                break;
            case "trailers":
                context.ResponseTrailers.Add("probe-trailer", "late");
                context.ResponseTrailers.Add(BinaryKey, [3, 2, 1, 0, 200]);
                break;
            case "bad-trailer":
                context.ResponseTrailers.Add("probe-trailer", "not ascii: é");
                break;
            case "status":
                context.Status = new Status(StatusCode.FailedPrecondition, "100% falsch: ü\n");
                break;
            case "rpc-exception":
                context.ResponseTrailers.Add("probe-trailer", "from context");
                throw new RpcException(
                    new Status(StatusCode.NotFound, "no such thing: 日本"),
                    new Metadata { { "grpc-status-details-bin", [8, 5, 18, 0] }, { "probe-error", "yes" } });
            case "exception":
                throw new InvalidOperationException("secret", new FormatException("deeper"));
            case "wait":
                record.Started.TrySetResult();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
                }
                finally
                {
                    record.OnEnd(request.Text, context.CancellationToken.IsCancellationRequested);
                }

                break;
            case "no-compress":
                context.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
                break;
            case "respond-gzip":
                await context.WriteResponseHeadersAsync(new Metadata { { "grpc-internal-encoding-request", "gzip" } });
                break;
        }
    }
}

/// <summary>What a server saw of its calls.</summary>
internal sealed class CallRecord
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> ends = new(StringComparer.Ordinal);

    /// <summary>Done once a handler waits.</summary>
    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the token of the waiting call without a text had fired when it ended.</summary>
    public TaskCompletionSource<bool> Cancelled => EndOf("");

    public ConcurrentQueue<string> Events { get; } = new();

    /// <summary>The same of the call with that text.</summary>
    public TaskCompletionSource<bool> EndOf(string text) =>
        ends.GetOrAdd(text, _ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));

    public void OnEnd(string text, bool cancelled) => EndOf(text).TrySetResult(cancelled);
}

/// <summary>Echoes within the limits that its options set.</summary>
internal sealed class LimitedService : Limited.LimitedBase
{
    public override Task<ProbeReply> Echo(ProbeRequest request, ServerCallContext context) =>
        Task.FromResult(new ProbeReply { Text = request.Text, Payload = ByteString.CopyFrom(new byte[request.Count]) });
}
