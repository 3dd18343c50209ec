using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client.Calls;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Starting gRPC call. Method type: '{MethodType}', URI: '{Uri}'.", EventName = "StartingCall")]
    public static partial void StartingCall(this ILogger logger, MethodType methodType, Uri uri);

    [LoggerMessage(3, LogLevel.Information, "Call failed with gRPC error status. Status code: '{StatusCode}', Message: '{StatusMessage}'.", EventName = "GrpcStatusError")]
    public static partial void StatusError(this ILogger logger, StatusCode statusCode, string statusMessage, Exception? debugException);

    [LoggerMessage(4, LogLevel.Debug, "Waiting {Delay} for a connection after: {Reason}", EventName = "WaitForReady")]
    public static partial void WaitForReady(this ILogger logger, TimeSpan delay, string reason);

    [LoggerMessage(5, LogLevel.Warning, "The configured CallCredentials were not used because the call does not use TLS.", EventName = "CallCredentialsNotUsed")]
    public static partial void CallCredentialsNotUsed(this ILogger logger);
}
