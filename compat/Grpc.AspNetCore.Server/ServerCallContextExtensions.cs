using Grpc.AspNetCore.Server.Calls;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>The HTTP side of a call.</summary>
public static class ServerCallContextExtensions
{
    // Where tests with contexts of their own put it.
    private const string HttpContextKey = "__HttpContext";

    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
    {
        ArgumentNullException.ThrowIfNull(serverCallContext);
        if (serverCallContext is HttpContextServerCallContext call)
        {
            return call.HttpContext;
        }

        if (serverCallContext.UserState.TryGetValue(HttpContextKey, out var value) && value is HttpContext httpContext)
        {
            return httpContext;
        }

        throw new InvalidOperationException(
            "Could not get HttpContext from ServerCallContext. HttpContext can only be accessed when gRPC services are hosted by ASP.NET Core.");
    }
}
