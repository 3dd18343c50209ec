using Grpc.Core;
using Nearline.Contracts.Inspection.V1;
using Nearline.Worker.Models;
using Nearline.Worker.State;
using Nearline.Worker.Telemetry;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace Nearline.Worker.Inspection;

/// <summary>
/// What operators may ask of the models in memory. Calls take turns with users' events on the inference thread, so few are
/// let in at a time, and one whose caller has gone is not begun.
/// </summary>
internal sealed class InspectionApi(
    ModelHost models, ShowExplainer explainer, WorkerMetrics metrics, TimeProvider clock, ILogger<InspectionApi> logger)
    : InspectionService.InspectionServiceBase, IDisposable
{
    /// <summary>Calls at a time.</summary>
    public const int AtATime = 4;

    private readonly SemaphoreSlim room = new(AtATime);

    public override Task<GetIndexInfoResponse> GetIndexInfo(GetIndexInfoRequest request, ServerCallContext context) => RunAsync(
        context,
        cancellation => models.RunOnAllAsync(
            set => new GetIndexInfoResponse { Indexes = { ServedIndexes.Of(set, models.CatalogOf) } }, cancellation));

    public override Task<ExplainShowResponse> ExplainShow(ExplainShowRequest request, ServerCallContext context)
    {
        foreach (var (field, value) in new[] { ("user_id", request.UserId), ("scenario", request.Scenario), ("item_id", request.ItemId) })
        {
            if (value.Length == 0)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"{field} is empty; it must be given"));
            }
        }

        return RunAsync(
            context,
            async cancellation => new ExplainShowResponse { Explanation = await explainer.ExplainAsync(request, cancellation).ConfigureAwait(false) });
    }

    public void Dispose() => room.Dispose();

    private async Task<T> RunAsync<T>(ServerCallContext context, Func<CancellationToken, Task<T>> work)
    {
        var started = clock.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            return await AdmitAsync(work, context.CancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var status = StatusOf(e, context);
            code = status.StatusCode;
            throw new RpcException(status);
        }
        finally
        {
            metrics.Inspected(context.Method[(context.Method.LastIndexOf('/') + 1)..], code.ToString(), clock.GetElapsedTime(started));
        }
    }

    private async Task<T> AdmitAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        if (models.Version is null)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "no model is active yet; try again when one is"));
        }

        if (!room.Wait(0, CancellationToken.None))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{AtATime} inspections are at work, as many as are let in; try again with backoff"));
        }

        var running = work(cancellation);

        // The place is free when the work is over, not when its caller stops waiting.
        _ = running.ContinueWith(
            done =>
            {
                _ = done.Exception;
                room.Release();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return await running.WaitAsync(cancellation).ConfigureAwait(false);
    }

    private Status StatusOf(Exception e, ServerCallContext context)
    {
        switch (e)
        {
            case RpcException rpc:
                return rpc.Status;
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return new Status(StatusCode.Cancelled, "the caller has gone, or its deadline passed");
            case UnreadableStateException:
                return new Status(StatusCode.FailedPrecondition, e.Message);
            case RedisException or RedisCommandException or TimeoutException or BrokenCircuitException or OperationCanceledException:
                return new Status(StatusCode.Unavailable, $"Redis does not answer: {e.Message}");
            default:
                logger.InspectionFailed(context.Method, e);
                return new Status(StatusCode.Internal, $"the model fails: {e.Message}");
        }
    }
}
