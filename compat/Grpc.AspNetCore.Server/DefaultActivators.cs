using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Takes the service from the container, or makes one where the container has none.</summary>
internal sealed class DefaultGrpcServiceActivator<TGrpcService> : IGrpcServiceActivator<TGrpcService>
    where TGrpcService : class
{
    private static readonly ObjectFactory<TGrpcService> Factory = ActivatorUtilities.CreateFactory<TGrpcService>(Type.EmptyTypes);

    public GrpcActivatorHandle<TGrpcService> Create(IServiceProvider serviceProvider) =>
        serviceProvider.GetService<TGrpcService>() is { } service
            ? new(service, created: false, state: null)
            : new(Factory(serviceProvider, []), created: true, state: null);

    public ValueTask ReleaseAsync(GrpcActivatorHandle<TGrpcService> service) =>
        service.Created ? Disposal.DisposeAsync(service.Instance) : default;
}

/// <summary>Takes the interceptor from the container, or makes one where it has none or arguments were given.</summary>
internal sealed class DefaultGrpcInterceptorActivator<TInterceptor> : IGrpcInterceptorActivator<TInterceptor>
    where TInterceptor : Interceptor
{
    public GrpcActivatorHandle<Interceptor> Create(
        IServiceProvider serviceProvider, InterceptorRegistration interceptorRegistration)
    {
        if (interceptorRegistration.ArgumentArray.Length == 0 && serviceProvider.GetService<TInterceptor>() is { } interceptor)
        {
            return new(interceptor, created: false, state: null);
        }

        return new(
            ActivatorUtilities.CreateInstance<TInterceptor>(serviceProvider, interceptorRegistration.ArgumentArray),
            created: true,
            state: null);
    }

    public ValueTask ReleaseAsync(GrpcActivatorHandle<Interceptor> interceptor) =>
        interceptor.Created ? Disposal.DisposeAsync(interceptor.Instance) : default;
}

internal static class Disposal
{
    public static ValueTask DisposeAsync(object instance)
    {
        if (instance is IAsyncDisposable asyncDisposable)
        {
            return asyncDisposable.DisposeAsync();
        }

        (instance as IDisposable)?.Dispose();
        return default;
    }
}
