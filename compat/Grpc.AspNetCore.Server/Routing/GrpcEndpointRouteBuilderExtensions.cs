using Grpc.AspNetCore.Server.Routing;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps services to endpoints.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>Every call gets its instance of the service from the call's services.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        return ServiceMapper.Map<TService>(builder, argument: null);
    }

    public static GrpcServiceEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder builder, ServerServiceDefinition serviceDefinition)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(serviceDefinition);
        return ServiceMapper.Map<ServerServiceDefinition>(builder, serviceDefinition);
    }

    public static GrpcServiceEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder builder, Func<IServiceProvider, ServerServiceDefinition> mapDefinition)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(mapDefinition);
        return builder.MapGrpcService(mapDefinition(builder.ServiceProvider));
    }
}
