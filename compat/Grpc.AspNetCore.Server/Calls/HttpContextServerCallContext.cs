using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>One call: what its handler sees, how its messages are read and written, and how it ends.</summary>
internal sealed class HttpContextServerCallContext : ServerCallContext, IServerCallContextFeature
{
    private static readonly HashSet<string> HiddenHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        GrpcHeaders.Encoding, GrpcHeaders.AcceptEncoding, GrpcHeaders.Timeout,
        "content-type", "te", "host", "accept-encoding",
    };

    private readonly ILogger logger;
    private readonly string methodName;
    private readonly Lock gate = new();
    private readonly ResponseSerializationContext serialization;
    private readonly PayloadContext payloads = new();
    private Metadata? requestHeaders;
    private Metadata? responseTrailers;
    private AuthContext? authContext;
    private string? peer;
    private Status status;
    private CallDeadline? deadline;
    private Task starting = Task.CompletedTask;
    private bool ended;

    public HttpContextServerCallContext(HttpContext httpContext, CallOptionsOfService options, string methodName, ILogger logger)
    {
        HttpContext = httpContext;
        Options = options;
        this.methodName = methodName;
        this.logger = logger;
        serialization = new ResponseSerializationContext(this, httpContext.Response.BodyWriter);
    }

    public HttpContext HttpContext { get; }

    public CallOptionsOfService Options { get; }

    public ServerCallContext ServerCallContext => this;

    /// <summary>Null where responses are not compressed.</summary>
    public ICompressionProvider? ResponseCompression { get; private set; }

    public bool CompressesResponse =>
        ResponseCompression is not null && !(WriteOptionsCore?.Flags.HasFlag(WriteFlags.NoCompress) ?? false);

    /// <summary>True once nothing more can be sent.</summary>
    public bool HasEnded
    {
        get
        {
            lock (gate)
            {
                return ended;
            }
        }
    }

    protected override string MethodCore => HttpContext.Request.Path.Value!;

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore => peer ??= PeerIdentity.Address(HttpContext.Connection);

    protected override DateTime DeadlineCore => deadline?.Time ?? DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => requestHeaders ??= ReadRequestHeaders();

    protected override CancellationToken CancellationTokenCore => deadline?.Token ?? HttpContext.RequestAborted;

    protected override Metadata ResponseTrailersCore => responseTrailers ??= [];

    protected override Status StatusCore
    {
        get => status;
        set => status = value;
    }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => authContext ??= PeerIdentity.Of(HttpContext.Connection);

    protected override IDictionary<object, object> UserStateCore => HttpContext.Items!;

    /// <summary>Reads what the headers say of the call, and starts its deadline.</summary>
    public void Start()
    {
        var headers = HttpContext.Request.Headers;
        if (headers.TryGetValue(GrpcHeaders.Timeout, out var timeoutText))
        {
            if (TimeoutFormat.TryParse(timeoutText, out var timeout))
            {
                deadline = new CallDeadline(timeout, HttpContext.RequestAborted, OnDeadlineAsync);
            }
            else
            {
                logger.InvalidTimeout(timeoutText.ToString());
            }
        }

        if (Options.ResponseCompressionAlgorithm is { } algorithm && algorithm != GrpcHeaders.Identity && ClientAccepts(algorithm))
        {
            ResponseCompression = Options.CompressionProviders[algorithm];
            HttpContext.Response.Headers[GrpcHeaders.Encoding] = algorithm;
        }

        deadline?.Start();
    }

    /// <summary>Sends status and trailers of a call whose handler has come to its end.</summary>
    public void End()
    {
        if (TryEnd())
        {
            WriteTrailers();
        }
    }

    /// <summary>Turns the exception of a handler into status and trailers.</summary>
    public void Fail(Exception exception)
    {
        if (exception is RpcException rpc)
        {
            logger.RpcConnectionError(rpc.StatusCode, rpc.Status.Detail, rpc.Status.DebugException);
            foreach (var entry in rpc.Trailers)
            {
                ResponseTrailersCore.Add(entry);
            }

            status = rpc.Status;
        }
        else
        {
            if (exception is OperationCanceledException or IOException && CancellationTokenCore.IsCancellationRequested)
            {
                logger.ServiceMethodCanceled(methodName, exception);
            }
            else
            {
                logger.ErrorExecutingServiceMethod(methodName, exception);
            }

            var detail = Options.EnableDetailedErrors
                ? "Exception was thrown by handler. " + Describe(exception)
                : "Exception was thrown by handler.";
            status = new Status(StatusCode.Unknown, detail, exception);
        }

        if (exception is TrailerException)
        {
            // The handler's trailers cannot be sent, but how the call ended has to be.
            ResponseStatus.Set(ResponseStatus.Destination(HttpContext.Response), status);
        }
        else if (TryEnd() && !HttpContext.RequestAborted.IsCancellationRequested)
        {
            try
            {
                WriteTrailers();
            }
            catch (TrailerException e)
            {
                Fail(e);
            }
        }
    }

    /// <summary>Ends what still hangs on the call after its status was sent.</summary>
    public ValueTask ReleaseAsync() => deadline?.DisposeAsync() ?? default;

    /// <summary>Reads one message from the start of the buffer, if it is all there.</summary>
    public bool TryReadMessage<T>(ref ReadOnlySequence<byte> buffer, Func<DeserializationContext, T> deserializer, out T? message)
        where T : class
    {
        message = null;
        if (!MessageHeader.TryRead(buffer, out var header))
        {
            return false;
        }

        if (header.Length > (uint)(Options.MaxReceiveMessageSize ?? int.MaxValue))
        {
            throw new RpcException(MessageErrors.ReceivedTooLarge);
        }

        if (header.Flag > 1)
        {
            throw new RpcException(MessageErrors.UnexpectedFlag);
        }

        if (buffer.Length - MessageHeader.Size < header.Length)
        {
            return false;
        }

        var payload = buffer.Slice(MessageHeader.Size, (int)header.Length);
        if (header.Flag == 0)
        {
            message = payloads.Deserialize(payload, deserializer);
        }
        else
        {
            using var plain = MessageCompression.Decompress(RequestCompression(), payload, Options.MaxReceiveMessageSize);
            message = payloads.Deserialize(new ReadOnlySequence<byte>(plain.WrittenMemory), deserializer);
        }

        buffer = buffer.Slice(payload.End);
        return true;
    }

    /// <summary>
    /// Writes one message into the response's pipe; the caller flushes it. False once the call has ended.
    /// </summary>
    public async ValueTask<bool> TryWriteMessageAsync<T>(T message, Action<T, SerializationContext> serializer)
    {
        // Else the first bytes would not yet tell that status and trailers belong behind the messages.
        if (!HttpContext.Response.HasStarted && !await TryStartResponseAsync())
        {
            return false;
        }

        lock (gate)
        {
            if (ended)
            {
                return false;
            }

            serialization.Serialize(message, serializer);
            return true;
        }
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (HttpContext.Response.HasStarted)
        {
            throw new InvalidOperationException("Response headers can only be sent once per call.");
        }

        lock (gate)
        {
            var headers = HttpContext.Response.Headers;
            foreach (var entry in responseHeaders)
            {
                if (entry.Key == GrpcHeaders.EncodingRequest)
                {
                    UseResponseEncoding(entry.Value);
                }
                else
                {
                    headers.Append(entry.Key, MetadataFormat.Encode(entry));
                }
            }
        }

        if (!await TryStartResponseAsync())
        {
            throw new InvalidOperationException("Can't send the response headers because the request is complete.");
        }

        await HttpContext.Response.BodyWriter.FlushAsync(CancellationToken.None);
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotImplementedException("CreatePropagationToken will be implemented in a future version.");

    private static string Describe(Exception exception)
    {
        var parts = new List<string>();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            parts.Add($"{e.GetType().Name}: {e.Message}");
        }

        return string.Join(' ', parts);
    }

    private void UseResponseEncoding(string encoding)
    {
        if (encoding == GrpcHeaders.Identity)
        {
            ResponseCompression = null;
            HttpContext.Response.Headers.Remove(GrpcHeaders.Encoding);
            return;
        }

        if (!Options.CompressionProviders.TryGetValue(encoding, out var provider))
        {
            throw new InvalidOperationException($"Could not find compression provider for '{encoding}'.");
        }

        ResponseCompression = provider;
        HttpContext.Response.Headers[GrpcHeaders.Encoding] = encoding;
    }

    private bool ClientAccepts(string algorithm)
    {
        foreach (var value in HttpContext.Request.Headers[GrpcHeaders.AcceptEncoding])
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan(range).Trim().Equals(algorithm, StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private ICompressionProvider RequestCompression()
    {
        string? encoding = HttpContext.Request.Headers[GrpcHeaders.Encoding];
        if (encoding is null)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request did not include grpc-encoding value with compressed message."));
        }

        if (encoding == GrpcHeaders.Identity)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request sent 'identity' grpc-encoding value with compressed message."));
        }

        if (Options.CompressionProviders.TryGetValue(encoding, out var provider))
        {
            return provider;
        }

        if (!HttpContext.Response.HasStarted)
        {
            HttpContext.Response.Headers[GrpcHeaders.AcceptEncoding] = Options.AcceptEncoding;
        }

        throw new RpcException(new Status(
            StatusCode.Unimplemented,
            $"Unsupported grpc-encoding value '{encoding}'. Supported encodings: {Options.AcceptEncoding.Replace(",", ", ", StringComparison.Ordinal)}"));
    }

    private Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        foreach (var (name, values) in HttpContext.Request.Headers)
        {
            if (!name.StartsWith(':') && !HiddenHeaders.Contains(name))
            {
                MetadataFormat.AddReceived(metadata, name, values.ToString());
            }
        }

        return metadata;
    }

    // The deadline may come at any time and ends the response from a thread of its own: it waits for what began here.
    private async ValueTask<bool> TryStartResponseAsync()
    {
        Task start;
        lock (gate)
        {
            if (ended)
            {
                return false;
            }

            start = starting = HttpContext.Response.StartAsync(CancellationToken.None);
        }

        await start;
        return true;
    }

    private bool TryEnd()
    {
        lock (gate)
        {
            return !ended && (ended = true);
        }
    }

    private void WriteTrailers()
    {
        var destination = ResponseStatus.Destination(HttpContext.Response);
        if (responseTrailers is not null)
        {
            foreach (var trailer in responseTrailers)
            {
                try
                {
                    destination.Append(trailer.Key, MetadataFormat.Encode(trailer));
                }
                catch (InvalidOperationException e)
                {
                    throw new TrailerException($"Error adding response trailer '{trailer.Key}'.", e);
                }
            }
        }

        ResponseStatus.Set(destination, status);
        TagActivity();
    }

    // The names that the real package gives; instrumentation reads them.
    private void TagActivity()
    {
        if (HttpContext.Features.Get<IHttpActivityFeature>()?.Activity is { } activity)
        {
            activity.SetTag("grpc.method", MethodCore);
            activity.SetTag("grpc.status_code", ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture));
        }
    }

    // The client must learn of it even while the handler still runs, so the response ends here.
    private async Task OnDeadlineAsync()
    {
        if (!TryEnd())
        {
            return;
        }

        logger.DeadlineExceeded(deadline!.Timeout);
        try
        {
            await starting;
            status = new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded");
            ResponseStatus.Set(ResponseStatus.Destination(HttpContext.Response), status);
            TagActivity();
            await HttpContext.Response.CompleteAsync();
            if (HttpContext.Features.Get<IHttpResetFeature>() is { } reset)
            {
                const int noError = 0;
                reset.Reset(noError);
            }
            else
            {
                HttpContext.Abort();
            }
        }
        catch (Exception e)
        {
            logger.DeadlineCancellationError(e);
        }
    }

    private sealed class TrailerException(string message, Exception inner) : InvalidOperationException(message, inner);
}
