using Grpc.AspNetCore.Server.Calls;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Net.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server.Routing;

/// <summary>Makes the endpoints of a service.</summary>
internal static class ServiceMapper
{
    public static GrpcServiceEndpointConventionBuilder Map<TService>(IEndpointRouteBuilder routes, object? argument)
        where TService : class
    {
        var services = routes.ServiceProvider;
        if (services.GetService<GrpcMarkerService>() is null)
        {
            throw new InvalidOperationException(
                "Unable to find the required services. Please add all the required services by calling " +
                "'IServiceCollection.AddGrpc' inside the call to 'ConfigureServices(...)' in the application startup code.");
        }

        var loggers = services.GetRequiredService<ILoggerFactory>();
        var logger = loggers.CreateLogger("Grpc.AspNetCore.Server.Model.Internal.ServiceRouteBuilder");
        var global = services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
        var own = services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value;
        var callOptions = CallOptionsOfService.Merge(global, own, suppressService: argument is ServerServiceDefinition);
        var factory = new CallHandlerFactory<TService>(
            callOptions,
            services.GetRequiredService<IGrpcServiceActivator<TService>>(),
            loggers.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler"));
        var context = new ServiceMethodProviderContext<TService>(factory, argument);
        foreach (var provider in services.GetServices<IServiceMethodProvider<TService>>())
        {
            provider.OnServiceMethodDiscovery(context);
        }

        var builders = new List<IEndpointConventionBuilder>();
        foreach (var method in context.Methods)
        {
            var builder = routes.Map(method.Pattern, method.Handler);
            builder.Add(endpoint =>
            {
                endpoint.DisplayName = $"gRPC - {endpoint.DisplayName}";
                endpoint.Metadata.Add(new GrpcMethodMetadata(typeof(TService), method.Method));
                endpoint.Metadata.Add(new HttpMethodMetadata(["POST"], acceptCorsPreflight: true));
                foreach (var item in method.Metadata)
                {
                    endpoint.Metadata.Add(item);
                }
            });
            builders.Add(builder);
            logger.AddedMethod(method.Method.Name, method.Method.ServiceName, method.Method.Type, method.Pattern.RawText);
        }

        if (context.Methods.Count == 0)
        {
            logger.NoMethods(typeof(TService).FullName);
        }

        var mapped = services.GetRequiredService<MappedServices>();
        if (!(global.IgnoreUnknownServices ?? false) && mapped.AddUnknownService())
        {
            MapUnimplemented(
                routes, $"{{unimplementedService}}/{{unimplementedMethod:{UnimplementedConstraint.Name}}}", "Unimplemented service",
                "Service is unimplemented.", logger);
        }

        if (!(own.IgnoreUnknownServices ?? global.IgnoreUnknownServices ?? false))
        {
            foreach (var service in context.Methods.Select(m => m.Method.ServiceName).Distinct(StringComparer.Ordinal))
            {
                if (mapped.Add(service))
                {
                    MapUnimplemented(
                        routes, $"{service}/{{unimplementedMethod:{UnimplementedConstraint.Name}}}",
                        $"Unimplemented method for {service}", "Method is unimplemented.", logger);
                }
            }
        }

        return new GrpcServiceEndpointConventionBuilder(builders);
    }

    private static void MapUnimplemented(
        IEndpointRouteBuilder routes, string pattern, string name, string detail, ILogger logger)
    {
        var builder = routes.Map(RoutePatternFactory.Parse(pattern), httpContext =>
        {
            if (RequestCheck.Refuse(httpContext, logger))
            {
                return Task.CompletedTask;
            }

            logger.Unimplemented(httpContext.Request.Path.Value);
            httpContext.Response.ContentType = GrpcHeaders.ContentType;
            ResponseStatus.Set(httpContext.Response.Headers, new Status(StatusCode.Unimplemented, detail));
            return Task.CompletedTask;
        });
        builder.Add(endpoint =>
        {
            endpoint.DisplayName = $"gRPC - {name}";
            endpoint.Metadata.Add(new HttpMethodMetadata(["POST"]));
        });
    }
}
