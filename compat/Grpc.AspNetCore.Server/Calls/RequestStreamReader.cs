using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Protocol;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>The request messages of a call.</summary>
internal sealed class RequestStreamReader<TRequest>(HttpContextServerCallContext call, Func<DeserializationContext, TRequest> deserializer)
    : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private readonly PipeReader input = call.HttpContext.Request.BodyReader;
    private bool completed;

    public TRequest Current { get; private set; } = null!;

    /// <summary>The only message of a call without a request stream.</summary>
    public static async ValueTask<TRequest> ReadSingleAsync(
        HttpContextServerCallContext call, Func<DeserializationContext, TRequest> deserializer)
    {
        var input = call.HttpContext.Request.BodyReader;
        TRequest? message = null;
        while (true)
        {
            var result = await input.ReadAsync(call.CancellationToken);
            var buffer = result.Buffer;
            var examined = buffer.End;
            try
            {
                if (!buffer.IsEmpty)
                {
                    if (message is not null)
                    {
                        throw new RpcException(MessageErrors.AdditionalData);
                    }

                    if (call.TryReadMessage(ref buffer, deserializer, out message) && !buffer.IsEmpty)
                    {
                        throw new RpcException(MessageErrors.AdditionalData);
                    }
                }

                if (result.IsCompleted)
                {
                    return message ?? throw new RpcException(MessageErrors.Incomplete);
                }
            }
            finally
            {
                input.AdvanceTo(buffer.Start, examined);
            }
        }
    }

    public void Complete() => completed = true;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }

        if (completed || call.CancellationToken.IsCancellationRequested)
        {
            return Task.FromException<bool>(
                new InvalidOperationException("Can't read messages after the request is complete."));
        }

        return MoveNextAsync(cancellationToken);
    }

    private async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        // The message before must not be kept alive while the next one is waited for.
        Current = null!;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken.CanBeCanceled ? cancellationToken : call.CancellationToken);
            var buffer = result.Buffer;
            var examined = buffer.End;
            try
            {
                if (!buffer.IsEmpty && call.TryReadMessage(ref buffer, deserializer, out var message))
                {
                    // What follows is looked at again by the next read.
                    examined = buffer.Start;
                    Current = message!;
                    return true;
                }

                if (result.IsCompleted)
                {
                    return buffer.IsEmpty ? false : throw new RpcException(MessageErrors.Incomplete);
                }
            }
            finally
            {
                input.AdvanceTo(buffer.Start, examined);
            }
        }
    }
}
