using System.Globalization;
using Grpc.Core;
using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Writes how a call ended.</summary>
internal static class ResponseStatus
{
    public static void Set(IHeaderDictionary headers, Status status)
    {
        headers[GrpcHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (string.IsNullOrEmpty(status.Detail))
        {
            headers.Remove(GrpcHeaders.Message);
        }
        else
        {
            headers[GrpcHeaders.Message] = PercentEncoding.Encode(status.Detail);
        }
    }

    /// <summary>The trailers, or the headers where the response is nothing but them.</summary>
    public static IHeaderDictionary Destination(HttpResponse response)
    {
        if (!response.HasStarted)
        {
            return response.Headers;
        }

        var feature = response.HttpContext.Features.Get<IHttpResponseTrailersFeature>();
        return feature is { Trailers.IsReadOnly: false }
            ? feature.Trailers
            : throw new InvalidOperationException("Trailers are not supported for this response. The server may not support gRPC.");
    }
}
