using Grpc.Core;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>The response messages of a call; one write at a time.</summary>
internal sealed class ResponseStreamWriter<TResponse>(HttpContextServerCallContext call, Action<TResponse, SerializationContext> serializer)
    : IServerStreamWriter<TResponse>
    where TResponse : class
{
    private readonly Lock gate = new();
    private Task write = Task.CompletedTask;
    private bool completed;

    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        if (message is null)
        {
            return Task.FromException(new ArgumentNullException(nameof(message)));
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        lock (gate)
        {
            if (completed || call.HasEnded || call.CancellationToken.IsCancellationRequested)
            {
                return Task.FromException(
                    new InvalidOperationException("Can't write the message because the request is complete."));
            }

            if (!write.IsCompleted)
            {
                return Task.FromException(
                    new InvalidOperationException("Can't write the message because the previous write is in progress."));
            }

            return write = WriteCoreAsync(message, cancellationToken);
        }
    }

    public void Complete()
    {
        lock (gate)
        {
            completed = true;
        }
    }

    private async Task WriteCoreAsync(TResponse message, CancellationToken cancellationToken)
    {
        if (!await call.TryWriteMessageAsync(message, serializer))
        {
            throw new InvalidOperationException("Can't write the message because the request is complete.");
        }

        if (!(call.WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) ?? false))
        {
            await call.HttpContext.Response.BodyWriter.FlushAsync(cancellationToken);
        }
    }
}
