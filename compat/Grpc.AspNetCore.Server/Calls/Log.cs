using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Calls;

internal static partial class Log
{
    [LoggerMessage(6, LogLevel.Error, "Error when executing service method '{ServiceMethod}'.", EventName = "ErrorExecutingServiceMethod")]
    public static partial void ErrorExecutingServiceMethod(this ILogger logger, string serviceMethod, Exception exception);

    [LoggerMessage(7, LogLevel.Information, "Error status code '{StatusCode}' with detail '{Detail}' raised.", EventName = "RpcConnectionError")]
    public static partial void RpcConnectionError(this ILogger logger, StatusCode statusCode, string detail, Exception? debugException);

    [LoggerMessage(20, LogLevel.Information, "Service method '{ServiceMethod}' canceled.", EventName = "ServiceMethodCanceled")]
    public static partial void ServiceMethodCanceled(this ILogger logger, string serviceMethod, Exception exception);

    [LoggerMessage(1, LogLevel.Information, "Request content-type of '{ContentType}' is not supported.", EventName = "UnsupportedRequestContentType")]
    public static partial void UnsupportedContentType(this ILogger logger, string? contentType);

    [LoggerMessage(2, LogLevel.Information, "Request protocol of '{Protocol}' is not supported.", EventName = "UnsupportedRequestProtocol")]
    public static partial void UnsupportedProtocol(this ILogger logger, string protocol);

    [LoggerMessage(3, LogLevel.Debug, "Request with timeout of {Timeout} has exceeded its deadline.", EventName = "DeadlineExceeded")]
    public static partial void DeadlineExceeded(this ILogger logger, TimeSpan timeout);

    [LoggerMessage(4, LogLevel.Debug, "Invalid grpc-timeout header value '{Timeout}' has been ignored.", EventName = "InvalidTimeoutIgnored")]
    public static partial void InvalidTimeout(this ILogger logger, string timeout);

    [LoggerMessage(5, LogLevel.Error, "Error occurred while trying to cancel the request due to deadline exceeded.", EventName = "DeadlineCancellationError")]
    public static partial void DeadlineCancellationError(this ILogger logger, Exception exception);

    [LoggerMessage(30, LogLevel.Debug, "Added gRPC method '{MethodName}' to service '{ServiceName}'. Method type: {MethodType}, route pattern: '{RoutePattern}'.", EventName = "AddedServiceMethod")]
    public static partial void AddedMethod(this ILogger logger, string methodName, string serviceName, MethodType methodType, string? routePattern);

    [LoggerMessage(31, LogLevel.Debug, "No gRPC methods discovered for service '{ServiceType}'.", EventName = "NoServiceMethodsDiscovered")]
    public static partial void NoMethods(this ILogger logger, string? serviceType);

    [LoggerMessage(32, LogLevel.Information, "'{Path}' is unimplemented.", EventName = "Unimplemented")]
    public static partial void Unimplemented(this ILogger logger, string? path);
}
