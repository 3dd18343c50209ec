using Grpc.Core.Interceptors;

namespace Grpc.AspNetCore.Server;

/// <summary>An instance for one call, and whether its activator made it (and so has to end it).</summary>
public struct GrpcActivatorHandle<T>
{
    public GrpcActivatorHandle(T instance, bool created, object? state)
    {
        Instance = instance;
        Created = created;
        State = state;
    }

    public T Instance { get; }

    public bool Created { get; }

    public object? State { get; }
}

/// <summary>Makes the service instance of a call.</summary>
public interface IGrpcServiceActivator<TGrpcService>
    where TGrpcService : class
{
    GrpcActivatorHandle<TGrpcService> Create(IServiceProvider serviceProvider);

    ValueTask ReleaseAsync(GrpcActivatorHandle<TGrpcService> service);
}

/// <summary>Makes the interceptor instances of a call.</summary>
public interface IGrpcInterceptorActivator
{
    GrpcActivatorHandle<Interceptor> Create(IServiceProvider serviceProvider, InterceptorRegistration interceptorRegistration);

    ValueTask ReleaseAsync(GrpcActivatorHandle<Interceptor> interceptor);
}

/// <summary>The activator of one type of interceptor.</summary>
public interface IGrpcInterceptorActivator<TInterceptor> : IGrpcInterceptorActivator
    where TInterceptor : Interceptor
{
}
