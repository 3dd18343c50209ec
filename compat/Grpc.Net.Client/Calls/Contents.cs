using System.Net;
using Grpc.Net.Protocol;

namespace Grpc.Net.Client.Calls;

/// <summary>The request body of a call with one request.</summary>
internal sealed class SingleMessageContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> message;
    private PooledBufferWriter? buffer;

    public SingleMessageContent(PooledBufferWriter buffer)
    {
        this.buffer = buffer;
        message = buffer.WrittenMemory;
        Headers.TryAddWithoutValidation("Content-Type", GrpcHeaders.ContentType);
    }

    /// <summary>Whether a failed attempt left the message to be sent again.</summary>
    public bool IsUnsent => buffer is not null;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var taken = Interlocked.Exchange(ref buffer, null)
            ?? throw new InvalidOperationException("The request has already been sent.");
        try
        {
            await stream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            taken.Dispose();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        // Without a length, for it would be sent.
        length = -1;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Interlocked.Exchange(ref buffer, null)?.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>The request body of a call with a stream of requests: hands out the stream and waits for its end.</summary>
internal sealed class MessageStreamContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MessageStreamContent() => Headers.TryAddWithoutValidation("Content-Type", GrpcHeaders.ContentType);

    /// <summary>Done once the request is under way.</summary>
    public Task<Stream> Opened => opened.Task;

    public bool IsUnsent => !opened.Task.IsCompleted;

    /// <summary>No more messages.</summary>
    public void Finish() => finished.TrySetResult();

    /// <summary>The call is over; what was not sent will not be.</summary>
    public void Abandon()
    {
        opened.TrySetCanceled();
        finished.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The server is to see the headers before the first message.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        opened.TrySetResult(stream);
        await finished.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }
}
