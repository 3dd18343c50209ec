using Grpc.Core;

namespace Nearline.Api.Tests.Support;

internal static class Rpc
{
    /// <summary>The status of a call that must fail.</summary>
    public static async Task<Status> FailureAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<RpcException>(call)).Status;
}
