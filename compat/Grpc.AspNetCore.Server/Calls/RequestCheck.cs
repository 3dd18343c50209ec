using Grpc.Core;
using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Refuses what is no gRPC request.</summary>
internal static class RequestCheck
{
    /// <summary>True where the request was answered here.</summary>
    public static bool Refuse(HttpContext httpContext, ILogger logger)
    {
        var request = httpContext.Request;
        if (!GrpcHeaders.IsGrpcContentType(request.ContentType))
        {
            logger.UnsupportedContentType(request.ContentType);
            var error = request.ContentType is null
                ? "Content-Type is missing from the request."
                : $"Content-Type '{request.ContentType}' is not supported.";
            Answer(httpContext.Response, StatusCodes.Status415UnsupportedMediaType, error);
            return true;
        }

        if (!HttpProtocol.IsHttp2(request.Protocol) && !HttpProtocol.IsHttp3(request.Protocol))
        {
            logger.UnsupportedProtocol(request.Protocol);
            httpContext.Response.Headers.Upgrade = "HTTP/2";
            Answer(
                httpContext.Response,
                StatusCodes.Status426UpgradeRequired,
                $"Request protocol '{request.Protocol}' is not supported.");
            return true;
        }

        return false;
    }

    private static void Answer(HttpResponse response, int httpStatus, string error)
    {
        response.StatusCode = httpStatus;
        ResponseStatus.Set(response.Headers, new Status(StatusCode.Internal, error));
    }
}
