using Microsoft.Extensions.Options;

namespace Nearline.Api.Hosting;

/// <summary>
/// Keeps the service listening, but not ready, for a while after it was told to stop. Lifecycle services hear of the
/// stop before Kestrel does.
/// </summary>
internal sealed class ShutdownDelay(IOptions<ApiOptions> options, TimeProvider time) : IHostedLifecycleService
{
    private volatile bool _begun;

    /// <summary>Whether the service was told to stop.</summary>
    public bool Begun => _begun;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _begun = true;
        return options.Value.ShutdownDelay > TimeSpan.Zero
            ? Task.Delay(options.Value.ShutdownDelay, time, cancellationToken)
            : Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
