namespace Grpc.Net.Protocol;

/// <summary>Names of the gRPC-over-HTTP/2 protocol.</summary>
internal static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Timeout = "grpc-timeout";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";

    /// <summary>Never sent: names the encoding that a caller wants its messages in.</summary>
    public const string EncodingRequest = "grpc-internal-encoding-request";

    public const string Identity = "identity";

    /// <summary>"application/grpc", alone or followed by a sub-format or parameters.</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null &&
        contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) &&
        (contentType.Length == ContentType.Length || contentType[ContentType.Length] is ';' or '+');
}
