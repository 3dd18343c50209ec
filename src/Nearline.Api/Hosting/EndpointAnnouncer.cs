namespace Nearline.Api.Hosting;

/// <summary>Logs, in one line that scripts can read, where the service listens.</summary>
internal sealed partial class EndpointAnnouncer(BoundEndpoints endpoints, ILogger<EndpointAnnouncer> logger)
    : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        LogListening(endpoints.Grpc.GetLeftPart(UriPartial.Authority), endpoints.Http.GetLeftPart(UriPartial.Authority));
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Nearline.Api listening: grpc={Grpc} http={Http}")]
    private partial void LogListening(string grpc, string http);
}
