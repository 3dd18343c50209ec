using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Grpc.AspNetCore.Server.Routing;

/// <summary>A method that is to become an endpoint.</summary>
internal sealed record MethodEndpoint(IMethod Method, RoutePattern Pattern, IList<object> Metadata, RequestDelegate Handler);
