using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>A channel to a target, from which clients are made.</summary>
public abstract class ChannelBase
{
    protected ChannelBase(string target) => Target = GrpcPreconditions.CheckNotNull(target, nameof(target));

    public string Target { get; }

    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Cancels the calls that still run.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
