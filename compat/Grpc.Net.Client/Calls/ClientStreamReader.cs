using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>The response messages of a call; one read at a time.</summary>
internal sealed class ClientStreamReader<TRequest, TResponse>(GrpcCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly Lock gate = new();
    private Task<bool> read = Task.FromResult(true);

    public TResponse Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            call.Cancel(new Status(StatusCode.Cancelled, "Call canceled by the client."));
            return Task.FromException<bool>(call.CreateException());
        }

        lock (gate)
        {
            return read.IsCompleted
                ? read = MoveNextAsync(cancellationToken)
                : Task.FromException<bool>(
                    new InvalidOperationException("Can't read the next message because the previous read is in progress."));
        }
    }

    private async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        Current = null!;
        var registration = cancellationToken.UnsafeRegister(
            static state => ((GrpcCall<TRequest, TResponse>)state!).Cancel(
                new Status(StatusCode.Cancelled, "Call canceled by the client.")),
            call);
        await using (registration.ConfigureAwait(false))
        {
            if (await call.ReadNextAsync().ConfigureAwait(false) is not { } message)
            {
                return false;
            }

            Current = message;
            return true;
        }
    }
}
