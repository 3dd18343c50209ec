using System.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Grpc.AspNetCore.Server.Routing;

/// <summary>
/// Finds the methods of a service class by the bind method that its generated base type names, and those of a
/// service definition by the definition itself.
/// </summary>
internal sealed class BinderServiceMethodProvider<TService> : IServiceMethodProvider<TService>
    where TService : class
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        if (context.Argument is ServerServiceDefinition definition)
        {
            definition.BindService(new DefinitionBinder<TService>(context));
            return;
        }

        if (FindBindMethod(typeof(TService)) is { } bind)
        {
            // The second parameter is the service, null here: the binder only wants to know the methods.
            bind.Invoke(null, [new ServiceClassBinder<TService>(context), null]);
        }
    }

    private static MethodInfo? FindBindMethod(Type serviceType)
    {
        for (var type = serviceType; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
            {
                return attribute.BindType.GetMethod(
                    attribute.BindMethodName,
                    BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static,
                    binder: null,
                    [typeof(ServiceBinderBase), type],
                    modifiers: []);
            }
        }

        return null;
    }
}

/// <summary>Calls the methods of an instance of the service class.</summary>
internal sealed class ServiceClassBinder<TService>(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    where TService : class
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var (invoker, metadata) = Find<Model.UnaryServerMethod<TService, TRequest, TResponse>>(
            method.Name, [typeof(TRequest), typeof(ServerCallContext)]);
        context.AddUnaryMethod(method, metadata, invoker);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var (invoker, metadata) = Find<Model.ClientStreamingServerMethod<TService, TRequest, TResponse>>(
            method.Name, [typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext)]);
        context.AddClientStreamingMethod(method, metadata, invoker);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var (invoker, metadata) = Find<Model.ServerStreamingServerMethod<TService, TRequest, TResponse>>(
            method.Name, [typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext)]);
        context.AddServerStreamingMethod(method, metadata, invoker);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var (invoker, metadata) = Find<Model.DuplexStreamingServerMethod<TService, TRequest, TResponse>>(
            method.Name,
            [typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext)]);
        context.AddDuplexStreamingMethod(method, metadata, invoker);
    }

    private static (TDelegate Invoker, List<object> Metadata) Find<TDelegate>(string name, Type[] parameters)
        where TDelegate : Delegate
    {
        // The most derived one, wherever in the hierarchy it is: it carries the attributes of the implementation.
        for (var type = typeof(TService); type is not null; type = type.BaseType)
        {
            var found = type.GetMethod(
                name,
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly,
                binder: null,
                parameters,
                modifiers: []);
            if (found is not null)
            {
                var metadata = new List<object>();
                metadata.AddRange(typeof(TService).GetCustomAttributes(inherit: true));
                metadata.AddRange(found.GetCustomAttributes(inherit: true));
                return (found.CreateDelegate<TDelegate>(), metadata);
            }
        }

        throw new InvalidOperationException($"Could not find '{name}' on {typeof(TService)}.");
    }
}

/// <summary>Calls the handlers that a service definition holds.</summary>
internal sealed class DefinitionBinder<TService>(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    where TService : class
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.UnaryServerMethod<TRequest, TResponse>? handler) =>
        context.AddUnaryMethod(method, [], (_, request, call) => Known(method, handler)(request, call));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddClientStreamingMethod(method, [], (_, requests, call) => Known(method, handler)(requests, call));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddServerStreamingMethod(method, [], (_, request, responses, call) => Known(method, handler)(request, responses, call));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Grpc.Core.DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddDuplexStreamingMethod(
            method, [], (_, requests, responses, call) => Known(method, handler)(requests, responses, call));

    private static T Known<T>(IMethod method, T? handler)
        where T : class =>
        handler ?? throw new InvalidOperationException($"The service definition has no handler for {method.FullName}.");
}
