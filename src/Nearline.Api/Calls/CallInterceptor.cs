using Grpc.Core;
using Grpc.Core.Interceptors;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Calls;

/// <summary>
/// Measures every call by its gRPC status, which ASP.NET Core's own metrics do not see (they count HTTP 200), and
/// gives exceptions their canonical status.
/// </summary>
internal sealed partial class CallInterceptor(ApiMetrics metrics, TimeProvider time, ILogger<CallInterceptor> logger)
    : Interceptor
{
    private const int IncidentDigits = 12;

    // A caller's deadline passes a network trip before ours, and its cancellation then comes first.
    private static readonly TimeSpan DeadlineSlack = TimeSpan.FromMilliseconds(25);

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var started = time.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            var response = await continuation(request, context);
            code = context.Status.StatusCode;
            return response;
        }
        catch (Exception e)
        {
            var status = ToStatus(e, context);
            code = status.StatusCode;
            throw e as RpcException ?? new RpcException(status);
        }
        finally
        {
            Record(context.Method, code, started);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var started = time.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            await continuation(request, responseStream, context);
            code = context.Status.StatusCode;
        }
        catch (Exception e)
        {
            var status = ToStatus(e, context);
            code = status.StatusCode;
            throw e as RpcException ?? new RpcException(status);
        }
        finally
        {
            Record(context.Method, code, started);
        }
    }

    // The route's method starts with a slash, the convention's name does not.
    private void Record(string method, StatusCode code, long started) =>
        metrics.Call(
            method.TrimStart('/'), StatusNames.Of(code), StatusNames.IsServerFailure(code), time.GetElapsedTime(started));

    private Status ToStatus(Exception e, ServerCallContext context)
    {
        switch (e)
        {
            case RpcException rpc:
                return rpc.Status;
            case not null when context.CancellationToken.IsCancellationRequested:
                return context.Deadline <= (time.GetUtcNow() + DeadlineSlack).UtcDateTime
                    ? new Status(StatusCode.DeadlineExceeded, "The deadline passed before the answer was ready.")
                    : new Status(StatusCode.Cancelled, "The caller cancelled the call.");
            default:
                // The caller gets nothing of the exception but a number by which the log's reader finds it.
                var incident = Guid.NewGuid().ToString("N")[..IncidentDigits];
                LogFailed(context.Method, incident, e);
                return new Status(StatusCode.Internal, $"An error of the service's own; its log has the details under incident {incident}.");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed, incident {Incident}")]
    private partial void LogFailed(string method, string incident, Exception? e);
}
