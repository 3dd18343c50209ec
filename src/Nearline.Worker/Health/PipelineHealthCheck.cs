using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Pipeline;

namespace Nearline.Worker.Health;

/// <summary>Healthy while batches do not stand still for want of something.</summary>
internal sealed class PipelineHealthCheck(Stall stall) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(stall.Reason is { } reason
            ? HealthCheckResult.Unhealthy($"retrying {reason}")
            : HealthCheckResult.Healthy("batches are processed"));
}
