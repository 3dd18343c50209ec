using Grpc.AspNetCore.Server.Reflection;
using Grpc.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds server reflection to an application's services.</summary>
public static class GrpcReflectionServiceExtensions
{
    public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddGrpc();
        services.TryAddSingleton<MappedDescriptors>();
        // Made at the first call, when everything is mapped.
        services.TryAddSingleton(s => new ReflectionServiceImpl(s.GetRequiredService<MappedDescriptors>().Read()));
        services.TryAddSingleton(s => new ReflectionV1ServiceImpl(s.GetRequiredService<MappedDescriptors>().Read()));
        return services;
    }
}
