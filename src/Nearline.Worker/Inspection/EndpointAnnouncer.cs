namespace Nearline.Worker.Inspection;

/// <summary>Logs, in one line that scripts can read, where the worker listens.</summary>
internal sealed class EndpointAnnouncer(WorkerEndpoints endpoints, ILogger<EndpointAnnouncer> logger) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        logger.Listening(string.Join(' ', endpoints.Http), endpoints.Grpc?.GetLeftPart(UriPartial.Authority) ?? "off");
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
