using System.Buffers;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Net.Protocol;

namespace Grpc.Net.Client.Calls;

/// <summary>One call: sends the request, reads the response, and knows how it ended.</summary>
internal sealed class GrpcCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private const string ErrorStarting = "Error starting gRPC call.";
    private const string ErrorReading = "Error reading next message.";
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(24);

    private readonly GrpcChannel channel;
    private readonly Method<TRequest, TResponse> method;
    private readonly CallOptions options;
    private readonly ICompressionProvider? requestCompression;
    private readonly CancellationTokenSource cancellation = new();
    private readonly CancellationToken token;
    private readonly TaskCompletionSource<Status> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Metadata> responseHeaders = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PayloadContext payloads = new();
    private readonly DateTime deadline;
    private CancellationTokenRegistration cancelled;
    private Timer? deadlineTimer;
    private Task<HttpResponseMessage> response = null!;
    private MessageStreamContent? requestContent;
    private Metadata? trailers;
    private int cleanedUp;

    public GrpcCall(GrpcChannel channel, Method<TRequest, TResponse> method, CallOptions options)
    {
        this.channel = channel;
        this.method = method;
        this.options = options;
        token = cancellation.Token;
        deadline = options.Deadline ?? DateTime.MaxValue;
        if (deadline.Kind != DateTimeKind.Utc && deadline != DateTime.MaxValue && deadline != DateTime.MinValue)
        {
            throw new InvalidOperationException(
                "Deadline must have a kind DateTimeKind.Utc or be equal to DateTime.MaxValue or DateTime.MinValue.");
        }

        if (options.Headers is { Count: > 0 } headers && headers.GetValue(GrpcHeaders.EncodingRequest) is { } encoding &&
            encoding != GrpcHeaders.Identity)
        {
            requestCompression = channel.CompressionProviders.TryGetValue(encoding, out var provider)
                ? provider
                : throw new InvalidOperationException($"Could not find compression provider for '{encoding}'.");
        }
    }

    public Task<TResponse> ResponseAsync { get; private set; } = null!;

    public ClientStreamReader<TRequest, TResponse> ResponseStream { get; private set; } = null!;

    public ClientStreamWriter<TRequest, TResponse> RequestStream { get; private set; } = null!;

    public Task<Metadata> ResponseHeadersAsync => responseHeaders.Task;

    public CallOptions Options => options;

    public Method<TRequest, TResponse> Method => method;

    /// <summary>The body that requests are written to.</summary>
    public MessageStreamContent RequestContent => requestContent!;

    public CancellationToken Token => token;

    public bool IsDone => outcome.Task.IsCompleted;

    /// <summary>Whether a response has begun: no other attempt may then take the place of this one.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>How the call ended; only once it is done.</summary>
    public Status Outcome => outcome.Task.Result;

    public void StartUnary(TRequest request)
    {
        Begin();
        ResponseAsync = ReadSingleAsync(response = SendSingleAsync(request));
    }

    public void StartServerStreaming(TRequest request)
    {
        Begin();
        ResponseStream = new ClientStreamReader<TRequest, TResponse>(this);
        response = SendSingleAsync(request);
        Observe(response);
    }

    public void StartClientStreaming()
    {
        Begin();
        requestContent = new MessageStreamContent();
        RequestStream = new ClientStreamWriter<TRequest, TResponse>(this);
        ResponseAsync = ReadSingleAsync(response = SendAsync(requestContent));
    }

    public void StartDuplexStreaming()
    {
        Begin();
        requestContent = new MessageStreamContent();
        RequestStream = new ClientStreamWriter<TRequest, TResponse>(this);
        ResponseStream = new ClientStreamReader<TRequest, TResponse>(this);
        response = SendAsync(requestContent);
        Observe(response);
    }

    public Status GetStatus() =>
        IsDone ? Outcome : throw new InvalidOperationException("Unable to get the status because the call is not complete.");

    public Metadata GetTrailers()
    {
        if (!IsDone)
        {
            throw new InvalidOperationException("Can't get the call trailers because the call has not completed successfully.");
        }

        return trailers
            ?? (response.IsCompletedSuccessfully
                ? trailers = []
                : throw new InvalidOperationException(
                    "Can't get the call trailers because an error occurred when making the request."));
    }

    /// <summary>A trailer of a call that is done, if it came.</summary>
    public string? PushbackOrNull(string trailer) => trailers?.GetValue(trailer);

    /// <summary>Cancels the call if it still runs.</summary>
    public void Dispose()
    {
        Cancel(new Status(StatusCode.Cancelled, "gRPC call disposed."));
        if (ResponseAsync is { IsCompletedSuccessfully: false } unread)
        {
            Observe(unread);
        }
    }

    /// <summary>Ends the call from this side, unless it has already ended.</summary>
    public void Cancel(Status status)
    {
        if (TryEnd(status))
        {
            cancellation.Cancel();
            CleanUp();
        }
    }

    /// <summary>What a caller gets to see of a call that did not end well, or ended before its time.</summary>
    public Exception CreateException()
    {
        var status = Outcome;
        // Not only where it ended on this side: which side sees a deadline first is chance.
        return channel.ThrowOperationCanceled && status.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded
            ? new OperationCanceledException(
                string.IsNullOrEmpty(status.Detail) ? status.StatusCode.ToString() : status.Detail,
                new RpcException(status),
                options.CancellationToken.IsCancellationRequested ? options.CancellationToken : token)
            : new RpcException(status, trailers ?? Metadata.Empty);
    }

    /// <summary>Ends the call by what an attempt to send or read threw, and says what the caller is to get.</summary>
    public Exception Fail(string summary, Exception exception)
    {
        if (!IsDone)
        {
            var status = exception switch
            {
                RpcException rpc => rpc.Status,
                OperationCanceledException => new Status(StatusCode.Cancelled, "", exception),
                _ => StatusMapping.FromException(summary, exception),
            };
            if (status.StatusCode == StatusCode.Cancelled && DateTime.UtcNow >= deadline)
            {
                // The server saw the deadline first, and reset the stream.
                status = new Status(StatusCode.DeadlineExceeded, "", exception);
            }

            if (TryEnd(status))
            {
                cancellation.Cancel();
                CleanUp();
            }
        }

        return CreateException();
    }

    public PooledBufferWriter Serialize(TRequest message, WriteOptions? writeOptions) =>
        new RequestSerializationContext(channel.MaxSendMessageSize).Serialize(
            message,
            method.RequestMarshaller.ContextualSerializer,
            writeOptions?.Flags.HasFlag(WriteFlags.NoCompress) ?? false ? null : requestCompression);

    /// <summary>The next message of the response, or null at its end, when the call has ended with OK.</summary>
    public async Task<TResponse?> ReadNextAsync()
    {
        try
        {
            var message = await response.ConfigureAwait(false);
            if (IsDone)
            {
                return Outcome.StatusCode == StatusCode.OK ? null : throw CreateException();
            }

            var stream = await message.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
            if (await ReadMessageAsync(message, stream).ConfigureAwait(false) is { } next)
            {
                return next;
            }

            EndByTrailers(message);
        }
        catch (Exception e)
        {
            throw Fail(ErrorReading, e);
        }

        return Outcome.StatusCode == StatusCode.OK ? null : throw CreateException();
    }

    private static void Observe(Task task) =>
        task.ContinueWith(
            static t => _ = t.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    private void Begin()
    {
        channel.Register(this);
        channel.Logger.StartingCall(method.Type, channel.UriOf(method));
        if (deadline <= DateTime.UtcNow)
        {
            Cancel(new Status(StatusCode.DeadlineExceeded, ""));
            return;
        }

        if (options.CancellationToken.CanBeCanceled)
        {
            cancelled = options.CancellationToken.UnsafeRegister(
                static state => ((GrpcCall<TRequest, TResponse>)state!).Cancel(
                    new Status(StatusCode.Cancelled, "Call canceled by the client.")),
                this);
        }

        if (deadline != DateTime.MaxValue)
        {
            deadlineTimer = new Timer(
                static state => ((GrpcCall<TRequest, TResponse>)state!).OnDeadlineTimer(), this, DueIn(), Timeout.InfiniteTimeSpan);
        }

        if (IsDone)
        {
            // The token had fired before there was a timer to stop.
            deadlineTimer?.Dispose();
            cancelled.Dispose();
        }
    }

    private TimeSpan DueIn()
    {
        var left = deadline - DateTime.UtcNow;
        return left <= TimeSpan.Zero ? TimeSpan.Zero
            : left >= LongestTimer ? LongestTimer
            : TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
    }

    private void OnDeadlineTimer()
    {
        if (DateTime.UtcNow >= deadline)
        {
            Cancel(new Status(StatusCode.DeadlineExceeded, ""));
            return;
        }

        try
        {
            deadlineTimer?.Change(DueIn(), Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The call ended meanwhile.
        }
    }

    private bool TryEnd(Status status)
    {
        lock (outcome)
        {
            if (outcome.Task.IsCompleted)
            {
                return false;
            }

            outcome.SetResult(status);
        }

        if (status.StatusCode != StatusCode.OK)
        {
            channel.Logger.StatusError(status.StatusCode, status.Detail, status.DebugException);
        }

        return true;
    }

    private void CleanUp()
    {
        if (Interlocked.Exchange(ref cleanedUp, 1) != 0)
        {
            return;
        }

        channel.Unregister(this);
        cancelled.Unregister();
        deadlineTimer?.Dispose();
        requestContent?.Abandon();
        if (!responseHeaders.Task.IsCompleted && responseHeaders.TrySetException(CreateException()))
        {
            _ = responseHeaders.Task.Exception;
        }

        if (response is { } sent)
        {
            // Resets the stream where the server has more to say.
            sent.ContinueWith(
                static t => t.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private async Task<HttpResponseMessage> SendSingleAsync(TRequest request)
    {
        SingleMessageContent content;
        try
        {
            content = new SingleMessageContent(Serialize(request, options.WriteOptions));
        }
        catch (Exception e)
        {
            throw Fail(ErrorStarting, e);
        }

        return await SendAsync(content).ConfigureAwait(false);
    }

    /// <summary>The response of a call that goes on, or whose status came with the headers.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpContent content)
    {
        try
        {
            if (IsDone)
            {
                throw CreateException();
            }

            var headers = await HeadersWithCredentialsAsync().ConfigureAwait(false);
            var message = await SendUntilConnectedAsync(content, headers).ConfigureAwait(false);
            if (IsDone)
            {
                message.Dispose();
                throw CreateException();
            }

            var metadata = ReadMetadata(message.Headers);
            if (StatusMapping.FromResponse(message) is { } status)
            {
                trailers = metadata;
                if (TryEnd(status))
                {
                    responseHeaders.TrySetResult(metadata);
                    CleanUp();
                }
            }
            else
            {
                IsCommitted = true;
                responseHeaders.TrySetResult(metadata);
            }

            return message;
        }
        catch (Exception e)
        {
            content.Dispose();
            throw Fail(ErrorStarting, e);
        }
    }

    private async Task<HttpResponseMessage> SendUntilConnectedAsync(HttpContent content, Metadata? headers)
    {
        var pause = channel.InitialReconnectBackoff;
        while (true)
        {
            try
            {
                var request = CreateRequest(content, headers);
                // A client would otherwise hold the response back until it is complete.
                return await (channel.Invoker is HttpClient client
                    ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)
                    : channel.Invoker.SendAsync(request, token)).ConfigureAwait(false);
            }
            catch (HttpRequestException e) when (options.IsWaitForReady && IsUnsent(content) &&
                e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
            {
                channel.Logger.WaitForReady(pause, e.Message);
                await Task.Delay(pause, token).ConfigureAwait(false);
                pause = pause < channel.MaxReconnectBackoff / 2 ? pause * 2 : channel.MaxReconnectBackoff;
            }
        }
    }

    private static bool IsUnsent(HttpContent content) => content switch
    {
        SingleMessageContent single => single.IsUnsent,
        MessageStreamContent stream => stream.IsUnsent,
        _ => false,
    };

    private HttpRequestMessage CreateRequest(HttpContent content, Metadata? metadata)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, channel.UriOf(method))
        {
            Version = channel.HttpVersion,
            VersionPolicy = channel.HttpVersionPolicy,
            Content = content,
        };
        var headers = request.Headers;
        headers.TryAddWithoutValidation("TE", "trailers");
        headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, channel.AcceptEncoding);
        if (requestCompression is not null)
        {
            headers.TryAddWithoutValidation(GrpcHeaders.Encoding, requestCompression.EncodingName);
        }

        if (deadline != DateTime.MaxValue)
        {
            headers.TryAddWithoutValidation(GrpcHeaders.Timeout, TimeoutFormat.Format(deadline - DateTime.UtcNow));
        }

        var hasUserAgent = false;
        foreach (var entry in metadata ?? Metadata.Empty)
        {
            if (entry.Key != GrpcHeaders.EncodingRequest)
            {
                hasUserAgent |= entry.Key == "user-agent";
                headers.TryAddWithoutValidation(entry.Key, MetadataFormat.Encode(entry));
            }
        }

        if (!hasUserAgent)
        {
            headers.TryAddWithoutValidation("User-Agent", UserAgent.Value);
        }

        return request;
    }

    private async ValueTask<Metadata?> HeadersWithCredentialsAsync()
    {
        if (channel.CallCredentials.Count == 0 && options.Credentials is null)
        {
            return options.Headers;
        }

        if (!channel.SendsCallCredentials)
        {
            channel.Logger.CallCredentialsNotUsed();
            return options.Headers;
        }

        var credentials = options.Credentials is { } own ? channel.CallCredentials.Append(own) : channel.CallCredentials;
        var serviceUrl = new Uri(channel.Address, "/" + method.ServiceName).AbsoluteUri;
        var metadata = new Metadata();
        foreach (var entry in options.Headers ?? Metadata.Empty)
        {
            metadata.Add(entry);
        }

        await CallCredentialsReader.AddHeadersAsync(
            credentials, new AuthInterceptorContext(serviceUrl, method.Name, token), metadata).ConfigureAwait(false);
        return metadata;
    }

    private async Task<TResponse> ReadSingleAsync(Task<HttpResponseMessage> sent)
    {
        TResponse? result = null;
        try
        {
            var message = await sent.ConfigureAwait(false);
            if (!IsDone)
            {
                var stream = await message.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
                result = await ReadMessageAsync(message, stream).ConfigureAwait(false);
                if (result is not null && await ReadMessageAsync(message, stream).ConfigureAwait(false) is not null)
                {
                    throw new RpcException(new Status(StatusCode.Internal, "Unexpected data after finished reading message."));
                }

                EndByTrailers(message, isMissing: result is null);
            }
        }
        catch (Exception e)
        {
            throw Fail(ErrorReading, e);
        }

        return Outcome.StatusCode == StatusCode.OK && result is not null ? result : throw CreateException();
    }

    private void EndByTrailers(HttpResponseMessage message, bool isMissing = false)
    {
        var status = StatusMapping.FromHeaders(message.TrailingHeaders)
            ?? new Status(StatusCode.Cancelled, "No grpc-status found on response.");
        if (isMissing && status.StatusCode == StatusCode.OK)
        {
            status = new Status(StatusCode.Internal, "Failed to deserialize response message.");
        }

        trailers = ReadMetadata(message.TrailingHeaders);
        if (TryEnd(status))
        {
            CleanUp();
        }
    }

    private async ValueTask<TResponse?> ReadMessageAsync(HttpResponseMessage message, Stream stream)
    {
        var rented = ArrayPool<byte>.Shared.Rent(256);
        try
        {
            var got = await stream.ReadAtLeastAsync(
                rented.AsMemory(0, MessageHeader.Size), MessageHeader.Size, throwOnEndOfStream: false, token).ConfigureAwait(false);
            if (got == 0)
            {
                return null;
            }

            if (got < MessageHeader.Size)
            {
                throw new RpcException(MessageErrors.Incomplete);
            }

            var header = MessageHeader.Read(rented);
            if (header.Flag > 1)
            {
                throw new RpcException(MessageErrors.UnexpectedFlag);
            }

            if (header.Length > (uint)(channel.MaxReceiveMessageSize ?? Array.MaxLength))
            {
                throw new RpcException(MessageErrors.ReceivedTooLarge);
            }

            var length = (int)header.Length;
            if (rented.Length < length)
            {
                ArrayPool<byte>.Shared.Return(rented);
                rented = [];
                rented = ArrayPool<byte>.Shared.Rent(length);
            }

            if (await stream.ReadAtLeastAsync(rented.AsMemory(0, length), length, throwOnEndOfStream: false, token).ConfigureAwait(false) < length)
            {
                throw new RpcException(MessageErrors.Incomplete);
            }

            var payload = new ReadOnlySequence<byte>(rented, 0, length);
            if (header.Flag == 0)
            {
                return payloads.Deserialize(payload, method.ResponseMarshaller.ContextualDeserializer);
            }

            using var plain = MessageCompression.Decompress(ResponseCompression(message), payload, channel.MaxReceiveMessageSize);
            return payloads.Deserialize(
                new ReadOnlySequence<byte>(plain.WrittenMemory), method.ResponseMarshaller.ContextualDeserializer);
        }
        finally
        {
            if (rented.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private ICompressionProvider ResponseCompression(HttpResponseMessage message)
    {
        if (!message.Headers.NonValidated.TryGetValues(GrpcHeaders.Encoding, out var values))
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request did not include grpc-encoding value with compressed message."));
        }

        var encoding = values.ToString();
        if (encoding == GrpcHeaders.Identity)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request sent 'identity' grpc-encoding value with compressed message."));
        }

        return channel.CompressionProviders.TryGetValue(encoding, out var provider)
            ? provider
            : throw new RpcException(new Status(
                StatusCode.Unimplemented,
                $"Unsupported grpc-encoding value '{encoding}'. Supported encodings: {channel.AcceptEncoding.Replace(",", ", ", StringComparison.Ordinal)}"));
    }

    private static Metadata ReadMetadata(System.Net.Http.Headers.HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            if (name.StartsWith(':') || IsProtocolHeader(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                MetadataFormat.AddReceived(metadata, name, value);
            }
        }

        return metadata;
    }

    private static bool IsProtocolHeader(string name) =>
        name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) &&
        (name.Equals(GrpcHeaders.Status, StringComparison.OrdinalIgnoreCase) ||
            name.Equals(GrpcHeaders.Message, StringComparison.OrdinalIgnoreCase) ||
            name.Equals(GrpcHeaders.Encoding, StringComparison.OrdinalIgnoreCase) ||
            name.Equals(GrpcHeaders.AcceptEncoding, StringComparison.OrdinalIgnoreCase));
}
