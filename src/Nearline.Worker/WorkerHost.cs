using Microsoft.Extensions.Options;
using Nearline.ServiceDefaults;
using Nearline.Worker.Backfilling;
using Nearline.Worker.Catalog;
using Nearline.Worker.Health;
using Nearline.Worker.Inspection;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using Nearline.Worker.State;
using Nearline.Worker.Telemetry;
using StackExchange.Redis;

namespace Nearline.Worker;

/// <summary>Puts the worker together.</summary>
public static class WorkerHost
{
    /// <summary>Where metrics and health are served unless <c>urls</c> says otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:9464";

    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The worker, not yet started.</summary>
    /// <param name="args">Command-line configuration, such as <c>--Kafka:BootstrapServers=127.0.0.1:9092</c>.</param>
    /// <param name="configure">Last changes to the builder, such as a test's own clock.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        AddEndpoints(builder);
        builder.AddNearlineDefaults("nearline-worker", MetricNames.Source);
        builder.Services.AddNearlineRedis(builder.Configuration);
        AddOptions(builder.Services);

        // The batch in work may take its time, and the last commit and leaving the group come after it.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = WorkerOptions.MaxDrainTimeout + LeaveTimeout);
        AddPipeline(builder.Services);
        AddInspection(builder.Services);
        builder.Services.AddHealthChecks()
            .AddCheck<ModelHealthCheck>("model", tags: [NearlineDefaults.ReadyTag])
            .AddCheck<KafkaHealthCheck>("kafka", tags: [NearlineDefaults.ReadyTag])
            .AddCheck<PipelineHealthCheck>("pipeline", tags: [NearlineDefaults.ReadyTag]);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapNearlineDefaults();
        app.MapGrpcService<InspectionApi>();
        return app;
    }

    private static void AddEndpoints(WebApplicationBuilder builder)
    {
        var urls = builder.Configuration[WebHostDefaults.ServerUrlsKey];
        builder.Services.AddSingleton(new WorkerEndpoints(string.IsNullOrEmpty(urls) ? DefaultUrl : urls));

        // Kestrel takes addresses from one place only, and those of `urls` could not say which speaks what.
        foreach (var key in new[] { WebHostDefaults.ServerUrlsKey, WebHostDefaults.HttpPortsKey, WebHostDefaults.HttpsPortsKey })
        {
            builder.WebHost.UseSetting(key, "");
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var services = kestrel.ApplicationServices;
            services.GetRequiredService<WorkerEndpoints>().Listen(kestrel, services.GetRequiredService<IOptions<WorkerOptions>>().Value);
        });
        builder.Services.AddHostedService<EndpointAnnouncer>();
    }

    private static void AddInspection(IServiceCollection services)
    {
        services.AddGrpc();
        services.AddSingleton<ShowExplainer>();
        services.AddSingleton<InspectionApi>();
    }

    private static void AddOptions(IServiceCollection services)
    {
        services.AddOptions<KafkaOptions>().BindConfiguration(KafkaOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KafkaOptions>, KafkaOptions.Validator>();
        services.AddOptions<WorkerOptions>()
            .BindConfiguration(WorkerOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptions.Validator>();
        services.AddOptions<IndexOptions>()
            .BindConfiguration(IndexOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<IndexOptions>, IndexOptions.Validator>();
    }

    private static void AddPipeline(IServiceCollection services)
    {
        services.AddSingleton<WorkerMetrics>();
        services.AddSingleton<ExitStatus>();
        services.AddSingleton<Stall>();
        services.AddSingleton<Retries>();
        services.AddSingleton<BatchGate>();
        services.AddSingleton<ConsumerStatus>();
        services.AddSingleton<KafkaTrouble>();
        services.AddSingleton(p =>
        {
            var options = p.GetRequiredService<IOptions<WorkerOptions>>().Value;
            return new RecordBuffer(options.MaxBuffered, options.MaxBufferedBytes);
        });
        services.AddSingleton<ConsumerLoop>();
        services.AddSingleton<DeadLetterProducer>();
        services.AddSingleton<WorkReader>();
        services.AddSingleton<DueSets>();
        services.AddSingleton(p => new SetAside(
            p.GetRequiredService<IOptions<WorkerOptions>>().Value.MaxBuffered,
            () => p.GetRequiredService<ModelHost>().Plan?.Id ?? "",
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<BatchGatherer>();
        services.AddSingleton<BatchProcessor>();
        services.AddSingleton<IBatchHooks, NoHooks>();
        services.AddSingleton<IRetrieverSource, BundleRetrieverSource>();
        services.AddSingleton(p => new FallbackStore(
            p.GetRequiredService<IConnectionMultiplexer>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<IOptions<WorkerOptions>>().Value.KeyPrefix));
        services.AddSingleton<ModelHost>();
        services.AddSingleton(p =>
        {
            var options = p.GetRequiredService<IOptions<WorkerOptions>>().Value;
            return new UserStore(p.GetRequiredService<IConnectionMultiplexer>(), options.StateTtl, options.SetTtl, options.KeyPrefix);
        });
        services.AddSingleton<ReplicaCheck>();
        services.AddHostedService<ModelFollower>();
        services.AddSingleton<Func<ICatalogTopic>>(p => () => new KafkaCatalogTopic(
            p.GetRequiredService<IOptions<KafkaOptions>>().Value,
            p.GetRequiredService<KafkaTrouble>(),
            p.GetRequiredService<ILogger<KafkaCatalogTopic>>()));
        services.AddHostedService<CatalogFollower>();
        services.AddSingleton<BackfillStore>();
        services.AddSingleton<StateScan>();
        services.AddHostedService<Backfiller>();
        services.AddHostedService<WorkerService>();
    }
}
