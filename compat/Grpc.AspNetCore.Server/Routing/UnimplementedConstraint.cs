using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Grpc.AspNetCore.Server.Routing;

/// <summary>Lets the endpoints for the unknown answer gRPC requests only.</summary>
internal sealed class UnimplementedConstraint : IRouteConstraint
{
    public const string Name = "grpcunimplemented";

    public bool Match(
        HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        httpContext is null || GrpcHeaders.IsGrpcContentType(httpContext.Request.ContentType);
}
