using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>The request messages of a call; one write at a time.</summary>
internal sealed class ClientStreamWriter<TRequest, TResponse>(GrpcCall<TRequest, TResponse> call) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private readonly Lock gate = new();
    private Task write = Task.CompletedTask;
    private bool completed;

    public WriteOptions? WriteOptions { get; set; } = call.Options.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        if (message is null)
        {
            return Task.FromException(new ArgumentNullException(nameof(message)));
        }

        lock (gate)
        {
            if (completed)
            {
                return Task.FromException(new InvalidOperationException("Request stream has already been completed."));
            }

            if (cancellationToken.IsCancellationRequested)
            {
                call.Cancel(new Status(StatusCode.Cancelled, "Call canceled by the client."));
            }

            if (call.IsDone)
            {
                return Task.FromException(Over());
            }

            return write.IsCompleted
                ? write = WriteCoreAsync(message, cancellationToken)
                : Task.FromException(
                    new InvalidOperationException("Can't write the message because the previous write is in progress."));
        }
    }

    public Task CompleteAsync()
    {
        lock (gate)
        {
            if (call.IsDone)
            {
                // To end a stream that the server has ended too is no error.
                return call.Outcome.StatusCode == StatusCode.OK ? Task.CompletedTask : Task.FromException(call.CreateException());
            }

            if (!write.IsCompleted)
            {
                return Task.FromException(
                    new InvalidOperationException("Can't complete the client stream writer because the previous write is in progress."));
            }

            completed = true;
            call.RequestContent.Finish();
            return Task.CompletedTask;
        }
    }

    private async Task WriteCoreAsync(TRequest message, CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(
            static state => ((GrpcCall<TRequest, TResponse>)state!).Cancel(
                new Status(StatusCode.Cancelled, "Call canceled by the client.")),
            call);
        await using (registration.ConfigureAwait(false))
        {
            var buffer = call.Serialize(message, WriteOptions);
            try
            {
                var stream = await call.RequestContent.Opened.ConfigureAwait(false);
                await stream.WriteAsync(buffer.WrittenMemory, call.Token).ConfigureAwait(false);
                if (!(WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) ?? false))
                {
                    await stream.FlushAsync(call.Token).ConfigureAwait(false);
                }
            }
            catch (Exception e)
            {
                throw call.IsDone ? Over() : await OutcomeOrAsync(e).ConfigureAwait(false);
            }
            finally
            {
                buffer.Dispose();
            }
        }
    }

    private Exception Over() =>
        call.Outcome.StatusCode == StatusCode.OK
            ? new InvalidOperationException("Can't write the message because the call is complete.")
            : call.CreateException();

    // A server that ends a call early resets the stream of requests; its status is yet to be read from the response.
    private async Task<Exception> OutcomeOrAsync(Exception exception)
    {
        if (call.ResponseAsync is { } response)
        {
            try
            {
                await response.ConfigureAwait(false);
                return Over();
            }
            catch (Exception e)
            {
                return e;
            }
        }

        return new RpcException(StatusMapping.FromException("Error writing message.", exception));
    }
}
