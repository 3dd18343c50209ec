using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Models;

namespace Nearline.Worker.Health;

/// <summary>Healthy from the first model on.</summary>
internal sealed class ModelHealthCheck(ModelHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(host.Version is { } version
            ? HealthCheckResult.Healthy($"model {version}")
            : HealthCheckResult.Unhealthy("no model is loaded yet"));
}
