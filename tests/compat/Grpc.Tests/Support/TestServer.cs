using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Grpc.Tests.Proto;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grpc.Tests.Support;

/// <summary>A server of the probe services on a free port, with a channel to it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private TestServer(WebApplication app, CallRecord record, LogRecorder logs)
    {
        this.app = app;
        Record = record;
        Logs = logs;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        Address = new Uri(addresses[0]);
        Http1Address = new Uri(addresses[1]);
        Channel = GrpcChannel.ForAddress(Address);
        Client = new Probe.ProbeClient(Channel);
    }

    /// <summary>HTTP/2 in plain text.</summary>
    public Uri Address { get; }

    /// <summary>HTTP/1.1 in plain text.</summary>
    public Uri Http1Address { get; }

    public GrpcChannel Channel { get; }

    public Probe.ProbeClient Client { get; }

    public CallRecord Record { get; }

    public LogRecorder Logs { get; }

    public IServiceProvider Services => app.Services;

    public static async Task<TestServer> StartAsync(
        Action<GrpcServiceOptions>? configure = null,
        Action<IGrpcServerBuilder>? builder = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        int port = 0)
    {
        var record = new CallRecord();
        var logs = new LogRecorder();
        var web = WebApplication.CreateSlimBuilder();
        web.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        web.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        web.Services.AddSingleton(record);
        var grpc = web.Services.AddGrpc(configure ?? (_ => { }));
        builder?.Invoke(grpc);
        services?.Invoke(web.Services);
        var built = web.Build();
        built.MapGrpcService<ProbeService>();
        built.MapGrpcService<LimitedService>();
        map?.Invoke(built);
        await built.StartAsync();
        return new TestServer(built, record, logs);
    }

    public GrpcChannel CreateChannel(GrpcChannelOptions options) => GrpcChannel.ForAddress(Address, options);

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await app.DisposeAsync();
    }
}
