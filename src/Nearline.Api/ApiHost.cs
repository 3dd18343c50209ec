using System.IO.Compression;
using Grpc.AspNetCore.Server;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Nearline.Api.Admin;
using Nearline.Api.Calls;
using Nearline.Api.Fallbacks;
using Nearline.Api.Health;
using Nearline.Api.Hosting;
using Nearline.Api.Overload;
using Nearline.Api.Refreshing;
using Nearline.Api.Security;
using Nearline.Api.Serving;
using Nearline.Api.Storage;
using Nearline.Api.Telemetry;
using Nearline.Api.Watching;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using Nearline.ServiceDefaults;

namespace Nearline.Api;

/// <summary>Puts the service together.</summary>
public static class ApiHost
{
    /// <summary>The service, not yet started.</summary>
    /// <param name="args">Command-line configuration, such as <c>--Api:GrpcPort=0</c>.</param>
    /// <param name="configure">Last changes to the builder, such as a test's own clock.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddNearlineDefaults("nearline-api", ApiMetrics.MeterName);

        // A failing check is told by the health endpoints; once a period in the log would drown the rest.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        // A call that nobody serves is a line there, a connection that breaks HTTP/2's rules or a message that cannot be
        // decoded a stack trace: any caller could fill the disk. What goes wrong in a handler the interceptor logs, and what callers send wrong is counted.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error);
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);

        // All instances share one Redis. Were they not ready without it, callers would find nobody at all in place of
        // the fallback lists in memory; an instance that has no lists is not ready by the check of those.
        builder.Services.AddNearlineRedis(builder.Configuration, HealthStatus.Degraded);
        AddOptions(builder.Services);
        AddServing(builder.Services);
        AddAdministration(builder.Services);
        AddGrpc(builder.Services);
        AddHosting(builder);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Use(app.Services.GetRequiredService<CallGuard>().InvokeAsync);
        app.MapNearlineDefaults();
        app.MapGrpcService<CandidateApi>();
        app.MapGrpcService<AdminApi>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
        return app;
    }

    private static void AddOptions(IServiceCollection services)
    {
        services.AddOptions<ApiOptions>()
            .BindConfiguration(ApiOptions.Section)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ApiOptions>, ApiOptionsValidator>();
        services.AddOptions<KafkaOptions>().BindConfiguration(KafkaOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KafkaOptions>, KafkaOptionsValidator>();
    }

    private static void AddServing(IServiceCollection services)
    {
        services.AddSingleton<ApiMetrics>();
        services.AddSingleton<RedisGuard>();
        services.AddSingleton<StoredUserCache>();
        services.AddSingleton<CandidateStore>();
        services.AddSingleton<FallbackLists>();
        services.AddSingleton<CandidateResponder>();
        services.AddSingleton<CandidateExplainer>();
        services.AddSingleton<RenewalHub>();
        services.AddSingleton<CandidateWatch>();
        services.AddSingleton<RefreshRequester>();
        services.AddHostedService<FallbackLoader>();
        services.AddHostedService(provider => provider.GetRequiredService<RefreshRequester>());
    }

    private static void AddAdministration(IServiceCollection services)
    {
        services.AddSingleton<ModelAdministration>();
        services.AddSingleton<UserAdministration>();
        services.AddSingleton<WorkerInspector>();
        services.AddSingleton<AdminApi>();
    }

    private static void AddGrpc(IServiceCollection services)
    {
        services.AddSingleton<WorkQueue>();
        services.AddSingleton<SheddingConnections>();
        services.AddSingleton<AdmissionGate>();
        services.AddSingleton<CallInterceptor>();
        services.AddSingleton<CandidateApi>();
        services.AddSingleton<ClientRegistry>();
        services.AddSingleton<CallGuard>();
        services.AddGrpc(grpc => grpc.Interceptors.Add<CallInterceptor>());
        services.AddOptions<GrpcServiceOptions>().Configure<IOptions<ApiOptions>>((grpc, api) =>
        {
            grpc.MaxReceiveMessageSize = api.Value.MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
            if (api.Value.ResponseCompression == ResponseCompression.Gzip)
            {
                grpc.ResponseCompressionAlgorithm = "gzip";
                grpc.ResponseCompressionLevel = CompressionLevel.Fastest;
            }
        });
        services.AddGrpcReflection();
        services.AddHealthChecks()
            .AddCheck<FallbackListsHealthCheck>("fallback-lists", tags: [NearlineDefaults.ReadyTag])
            .AddCheck<DrainHealthCheck>(DrainHealthCheck.Name, tags: [NearlineDefaults.ReadyTag]);
        services.AddGrpcHealthChecks(health =>
        {
            health.Services.Map("", check => check.Tags.Contains(NearlineDefaults.ReadyTag));
            health.Services.Map(
                CandidateService.Descriptor.FullName, check => check.Tags.Contains(NearlineDefaults.ReadyTag));

            // Operators are needed most when the rest is not ready.
            health.Services.Map(AdminService.Descriptor.FullName, check => check.Name == DrainHealthCheck.Name);
        });

        // The gRPC health service repeats what the publisher last saw, so its period is how late the answer may be.
        services.AddOptions<HealthCheckPublisherOptions>().Configure<IOptions<ApiOptions>>((publisher, api) =>
        {
            publisher.Delay = TimeSpan.Zero;
            publisher.Period = api.Value.HealthPeriod;
        });
    }

    private static void AddHosting(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TlsCertificates>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<TlsCertificates>());
        builder.Services.AddSingleton<BoundEndpoints>();
        builder.Services.AddHostedService<EndpointAnnouncer>();
        builder.Services.AddSingleton<ShutdownDelay>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<ShutdownDelay>());
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<ApiOptions>>((host, api) =>
            host.ShutdownTimeout = api.Value.ShutdownDelay + api.Value.DrainTimeout);

        // What comes over a connection is looked at as it comes, ahead of the calls that wait for a thread.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ApplicationServices.GetRequiredService<BoundEndpoints>().Listen(kestrel));
    }
}
