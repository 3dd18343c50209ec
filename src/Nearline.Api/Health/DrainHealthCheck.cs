using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Api.Hosting;

namespace Nearline.Api.Health;

/// <summary>Unhealthy from the moment the service was told to stop.</summary>
internal sealed class DrainHealthCheck(ShutdownDelay shutdown, IHostApplicationLifetime lifetime) : IHealthCheck
{
    /// <summary>The check's name.</summary>
    public const string Name = "lifecycle";

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(shutdown.Begun || lifetime.ApplicationStopping.IsCancellationRequested
            ? HealthCheckResult.Unhealthy("the service is shutting down")
            : HealthCheckResult.Healthy());
}
