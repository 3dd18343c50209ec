namespace Nearline.Api.Telemetry;

/// <summary>Names of OpenTelemetry's RPC conventions, in one place because they move between releases.</summary>
internal static class SemanticConventions
{
    public const string RpcServerCallDuration = "rpc.server.call.duration";
    public const string RpcSystemName = "rpc.system.name";
    public const string RpcMethod = "rpc.method";
    public const string RpcResponseStatusCode = "rpc.response.status_code";
    public const string ErrorType = "error.type";
    public const string Grpc = "grpc";
}
