using Grpc.AspNetCore.Server.Calls;
using Grpc.AspNetCore.Server.Routing;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Grpc.AspNetCore.Server.Model;

/// <summary>Takes the methods that a provider finds.</summary>
public class ServiceMethodProviderContext<TService>
    where TService : class
{
    private readonly CallHandlerFactory<TService> factory;

    internal ServiceMethodProviderContext(CallHandlerFactory<TService> factory, object? argument)
    {
        this.factory = factory;
        Argument = argument;
    }

    /// <summary>What the mapping was given beside the service's type.</summary>
    public object? Argument { get; }

    internal List<MethodEndpoint> Methods { get; } = [];

    public void AddUnaryMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, IList<object> metadata, UnaryServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class =>
        AddMethod(method, PatternOf(method), metadata, factory.Unary(method, invoker));

    public void AddServerStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, IList<object> metadata, ServerStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class =>
        AddMethod(method, PatternOf(method), metadata, factory.ServerStreaming(method, invoker));

    public void AddClientStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, IList<object> metadata, ClientStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class =>
        AddMethod(method, PatternOf(method), metadata, factory.ClientStreaming(method, invoker));

    public void AddDuplexStreamingMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, IList<object> metadata, DuplexStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class =>
        AddMethod(method, PatternOf(method), metadata, factory.DuplexStreaming(method, invoker));

    public void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, RoutePattern pattern, IList<object> metadata, RequestDelegate invoker)
        where TRequest : class
        where TResponse : class =>
        Methods.Add(new MethodEndpoint(method, pattern, metadata, invoker));

    private static RoutePattern PatternOf(IMethod method) => RoutePatternFactory.Parse(method.FullName);
}
