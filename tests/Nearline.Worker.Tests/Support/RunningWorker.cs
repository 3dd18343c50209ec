using System.Diagnostics.Metrics;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Nearline.Contracts.Inspection.V1;
using Nearline.Worker.Inspection;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Pipeline;

namespace Nearline.Worker.Tests.Support;

/// <summary>A whole worker in this process.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private static readonly HttpClient Http = new();

    private readonly WebApplication app;
    private bool isStopped;
    private GrpcChannel? channel;

    private RunningWorker(WebApplication app, LogLines logs)
    {
        this.app = app;
        Logs = logs;
        Meters = new Meters(app.Services.GetRequiredService<IMeterFactory>());
    }

    public Meters Meters { get; }

    /// <summary>What it logs of its own; the frameworks' lines only from warnings on.</summary>
    public LogLines Logs { get; }

    /// <summary>Where it may be asked about its models; null: nowhere.</summary>
    public Uri? Grpc => app.Services.GetRequiredService<WorkerEndpoints>().Grpc;

    /// <summary>Asks it.</summary>
    public InspectionService.InspectionServiceClient Inspection => new(channel ??= GrpcChannel.ForAddress(Grpc!));

    public string Url => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <param name="infrastructure">What it runs on.</param>
    /// <param name="source">Its models; null: bundles, as in production.</param>
    /// <param name="hooks">What happens at the moments of a batch.</param>
    /// <param name="arguments">Further command-line arguments.</param>
    public static async Task<RunningWorker> StartAsync(
        Infrastructure infrastructure, IRetrieverSource? source, IBatchHooks? hooks = null, params string[] arguments)
    {
        var logs = new LogLines();
        var host = WorkerHost.Build(
            [
                "--urls=http://127.0.0.1:0",
                "--Worker:GrpcPort=0",
                $"--Kafka:BootstrapServers={infrastructure.Kafka.BootstrapServers}",
                "--Kafka:SessionTimeout=00:00:04",
                "--Kafka:FetchWait=00:00:00.020",
                "--Kafka:Client:heartbeat.interval.ms=100",
                $"--Redis:ConnectionString={infrastructure.RedisAddress}",
                "--Worker:ModelPollInterval=00:00:00.020",
                "--Worker:BackfillOnModel=false",
                .. arguments,
            ],
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(logs).AddFilter("Nearline", LogLevel.Debug).AddFilter("Microsoft", LogLevel.Warning);
                if (source is not null)
                {
                    builder.Services.Replace(ServiceDescriptor.Singleton(source));
                }

                if (hooks is not null)
                {
                    builder.Services.Replace(ServiceDescriptor.Singleton(hooks));
                }
            });
        var worker = new RunningWorker(host, logs);
        await host.StartAsync();
        return worker;
    }

    public async Task<(int Status, string Body)> GetAsync(string path)
    {
        using var response = await Http.GetAsync(new Uri(Url + path));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Partitions that the group has given to this worker.</summary>
    public int AssignedPartitions => app.Services.GetRequiredService<ConsumerStatus>().AssignedPartitions;

    /// <summary>Waits until an error ends the host.</summary>
    public Task CrashedAsync() => Eventually.TrueAsync(
        () => app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested, "the host stops");

    public Task ReadyAsync() => Eventually.PassAsync(async () =>
    {
        var (status, body) = await GetAsync("/healthz/ready");
        Assert.True(status == 200, body);
    });

    public async Task StopAsync()
    {
        if (!isStopped)
        {
            isStopped = true;
            await app.StopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        channel?.Dispose();
        await StopAsync();
        Meters.Dispose();
        await app.DisposeAsync();
    }
}
