using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Makes the request handlers of a service's methods, one form for each kind of call.</summary>
internal sealed class CallHandlerFactory<TService>(
    CallOptionsOfService options, IGrpcServiceActivator<TService> activator, ILogger logger)
    where TService : class
{
    public RequestDelegate Unary<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Model.UnaryServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        Core.UnaryServerMethod<TRequest, TResponse> core = async (request, call) =>
        {
            var service = CreateService(call);
            try
            {
                return await invoker(service.Instance, request, call);
            }
            finally
            {
                if (service.Created)
                {
                    await activator.ReleaseAsync(service);
                }
            }
        };
        var pipeline = InterceptorPipeline.Build(core, options.Interceptors);
        var deserializer = method.RequestMarshaller.ContextualDeserializer;
        var serializer = method.ResponseMarshaller.ContextualSerializer;
        return Handle(method, isRequestStream: false, async call =>
        {
            var request = await RequestStreamReader<TRequest>.ReadSingleAsync(call, deserializer);
            var response = await pipeline(request, call);
            await WriteSingleAsync(call, response, serializer);
        });
    }

    public RequestDelegate ClientStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Model.ClientStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        Core.ClientStreamingServerMethod<TRequest, TResponse> core = async (requests, call) =>
        {
            var service = CreateService(call);
            try
            {
                return await invoker(service.Instance, requests, call);
            }
            finally
            {
                if (service.Created)
                {
                    await activator.ReleaseAsync(service);
                }
            }
        };
        var pipeline = InterceptorPipeline.Build(core, options.Interceptors);
        var deserializer = method.RequestMarshaller.ContextualDeserializer;
        var serializer = method.ResponseMarshaller.ContextualSerializer;
        return Handle(method, isRequestStream: true, async call =>
        {
            var requests = new RequestStreamReader<TRequest>(call, deserializer);
            TResponse response;
            try
            {
                response = await pipeline(requests, call);
            }
            finally
            {
                requests.Complete();
            }

            await WriteSingleAsync(call, response, serializer);
        });
    }

    public RequestDelegate ServerStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Model.ServerStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        Core.ServerStreamingServerMethod<TRequest, TResponse> core = async (request, responses, call) =>
        {
            var service = CreateService(call);
            try
            {
                await invoker(service.Instance, request, responses, call);
            }
            finally
            {
                if (service.Created)
                {
                    await activator.ReleaseAsync(service);
                }
            }
        };
        var pipeline = InterceptorPipeline.Build(core, options.Interceptors);
        var deserializer = method.RequestMarshaller.ContextualDeserializer;
        var serializer = method.ResponseMarshaller.ContextualSerializer;
        return Handle(method, isRequestStream: false, async call =>
        {
            var request = await RequestStreamReader<TRequest>.ReadSingleAsync(call, deserializer);
            var responses = new ResponseStreamWriter<TResponse>(call, serializer);
            try
            {
                await pipeline(request, responses, call);
            }
            finally
            {
                responses.Complete();
            }
        });
    }

    public RequestDelegate DuplexStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, Model.DuplexStreamingServerMethod<TService, TRequest, TResponse> invoker)
        where TRequest : class
        where TResponse : class
    {
        Core.DuplexStreamingServerMethod<TRequest, TResponse> core = async (requests, responses, call) =>
        {
            var service = CreateService(call);
            try
            {
                await invoker(service.Instance, requests, responses, call);
            }
            finally
            {
                if (service.Created)
                {
                    await activator.ReleaseAsync(service);
                }
            }
        };
        var pipeline = InterceptorPipeline.Build(core, options.Interceptors);
        var deserializer = method.RequestMarshaller.ContextualDeserializer;
        var serializer = method.ResponseMarshaller.ContextualSerializer;
        return Handle(method, isRequestStream: true, async call =>
        {
            var requests = new RequestStreamReader<TRequest>(call, deserializer);
            var responses = new ResponseStreamWriter<TResponse>(call, serializer);
            try
            {
                await pipeline(requests, responses, call);
            }
            finally
            {
                requests.Complete();
                responses.Complete();
            }
        });
    }

    private static async ValueTask WriteSingleAsync<TResponse>(
        HttpContextServerCallContext call, TResponse response, Action<TResponse, SerializationContext> serializer)
        where TResponse : class
    {
        if (response is null)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "No message returned from method."));
        }

        // Not flushed: message and trailers leave together. After the deadline the client has its answer.
        await call.TryWriteMessageAsync(response, serializer);
    }

    // A stream of requests may be slow and long; the limits of ordinary requests do not fit it.
    private static void LiftRequestLimits(HttpContext httpContext)
    {
        if (httpContext.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (httpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }

    private GrpcActivatorHandle<TService> CreateService(ServerCallContext call)
    {
        if (options.SuppressCreatingService)
        {
            return default;
        }

        var handle = activator.Create(call.GetHttpContext().RequestServices);
        return handle.Instance is null
            ? throw new InvalidOperationException($"Could not construct service instance for type {typeof(TService).FullName}")
            : handle;
    }

    private RequestDelegate Handle(IMethod method, bool isRequestStream, Func<HttpContextServerCallContext, Task> handle) =>
        async httpContext =>
        {
            if (RequestCheck.Refuse(httpContext, logger))
            {
                return;
            }

            if (isRequestStream)
            {
                LiftRequestLimits(httpContext);
            }

            httpContext.Response.ContentType = GrpcHeaders.ContentType;
            var call = new HttpContextServerCallContext(httpContext, options, method.Name, logger);
            httpContext.Features.Set<IServerCallContextFeature>(call);
            try
            {
                call.Start();
                await handle(call);
                call.End();
            }
            catch (Exception e)
            {
                call.Fail(e);
            }
            finally
            {
                await call.ReleaseAsync();
            }
        };
}
