using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Puts interceptors before a method; each call gets its own instances.</summary>
internal static class InterceptorPipeline
{
    public static Core.UnaryServerMethod<TRequest, TResponse> Build<TRequest, TResponse>(
        Core.UnaryServerMethod<TRequest, TResponse> method, IReadOnlyList<InterceptorRegistration> interceptors)
        where TRequest : class
        where TResponse : class =>
        Fold(method, interceptors, (registration, next) => async (request, call) =>
        {
            var (activator, handle) = Create(registration, call);
            try
            {
                return await handle.Instance.UnaryServerHandler(request, call, next);
            }
            finally
            {
                await activator.ReleaseAsync(handle);
            }
        });

    public static Core.ClientStreamingServerMethod<TRequest, TResponse> Build<TRequest, TResponse>(
        Core.ClientStreamingServerMethod<TRequest, TResponse> method, IReadOnlyList<InterceptorRegistration> interceptors)
        where TRequest : class
        where TResponse : class =>
        Fold(method, interceptors, (registration, next) => async (requests, call) =>
        {
            var (activator, handle) = Create(registration, call);
            try
            {
                return await handle.Instance.ClientStreamingServerHandler(requests, call, next);
            }
            finally
            {
                await activator.ReleaseAsync(handle);
            }
        });

    public static Core.ServerStreamingServerMethod<TRequest, TResponse> Build<TRequest, TResponse>(
        Core.ServerStreamingServerMethod<TRequest, TResponse> method, IReadOnlyList<InterceptorRegistration> interceptors)
        where TRequest : class
        where TResponse : class =>
        Fold(method, interceptors, (registration, next) => async (request, responses, call) =>
        {
            var (activator, handle) = Create(registration, call);
            try
            {
                await handle.Instance.ServerStreamingServerHandler(request, responses, call, next);
            }
            finally
            {
                await activator.ReleaseAsync(handle);
            }
        });

    public static Core.DuplexStreamingServerMethod<TRequest, TResponse> Build<TRequest, TResponse>(
        Core.DuplexStreamingServerMethod<TRequest, TResponse> method, IReadOnlyList<InterceptorRegistration> interceptors)
        where TRequest : class
        where TResponse : class =>
        Fold(method, interceptors, (registration, next) => async (requests, responses, call) =>
        {
            var (activator, handle) = Create(registration, call);
            try
            {
                await handle.Instance.DuplexStreamingServerHandler(requests, responses, call, next);
            }
            finally
            {
                await activator.ReleaseAsync(handle);
            }
        });

    private static TMethod Fold<TMethod>(
        TMethod method, IReadOnlyList<InterceptorRegistration> interceptors, Func<InterceptorRegistration, TMethod, TMethod> wrap) =>
        interceptors.Reverse().Aggregate(method, (next, registration) => wrap(registration, next));

    private static (IGrpcInterceptorActivator Activator, GrpcActivatorHandle<Interceptor> Handle) Create(
        InterceptorRegistration registration, ServerCallContext call)
    {
        var services = call.GetHttpContext().RequestServices;
        var activator = (IGrpcInterceptorActivator)services.GetRequiredService(registration.ActivatorType);
        var handle = activator.Create(services, registration);
        return handle.Instance is null
            ? throw new InvalidOperationException($"Could not construct Interceptor instance for type {registration.Type.FullName}")
            : (activator, handle);
    }
}
