using System.IO.Pipelines;

namespace Grpc.AspNetCore.Server.Calls;

internal static class TaskExtensions
{
    /// <summary>Spares the allocation where the flush is already done.</summary>
    public static Task GetAsTask(this ValueTask<FlushResult> flush)
    {
        if (flush.IsCompletedSuccessfully)
        {
            flush.GetAwaiter().GetResult();
            return Task.CompletedTask;
        }

        return flush.AsTask();
    }
}
