using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Nearline.Contracts.Inspection.V1;

namespace Nearline.Api.Tests.Support;

/// <summary>A worker's inspection port on a real socket, which answers as the test says.</summary>
internal sealed class FakeWorker : InspectionService.InspectionServiceBase, IAsyncDisposable
{
    private WebApplication? _app;

    public string Address => _app!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public Func<ExplainShowRequest, ServerCallContext, Task<ExplainShowResponse>> OnExplain { get; set; } = (_, _) => Task.FromResult(new ExplainShowResponse());

    public GetIndexInfoResponse Indexes { get; init; } = new();

    public static async Task<FakeWorker> StartAsync(GetIndexInfoResponse? indexes = null)
    {
        var worker = new FakeWorker { Indexes = indexes ?? new() };
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(worker);
        worker._app = builder.Build();
        worker._app.MapGrpcService<FakeWorker>();
        await worker._app.StartAsync();
        return worker;
    }

    public override Task<GetIndexInfoResponse> GetIndexInfo(GetIndexInfoRequest request, ServerCallContext context) => Task.FromResult(Indexes);

    public override Task<ExplainShowResponse> ExplainShow(ExplainShowRequest request, ServerCallContext context) => OnExplain(request, context);

    public async ValueTask DisposeAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }
}
