using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Kafka;
using Nearline.Worker.Pipeline;

namespace Nearline.Worker.Health;

/// <summary>
/// Healthy while batches do not stand still: for want of something, which is named, or without a word, as when the model
/// does not come back.
/// </summary>
internal sealed class PipelineHealthCheck(Stall stall, BatchGate gate) : IHealthCheck
{
    /// <summary>A batch takes milliseconds, the largest one on a slow machine some seconds.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(stall.Reason is { } reason
            ? HealthCheckResult.Unhealthy($"retrying {reason}")
            : gate.OldestAge is { } age && age > MaxAge
                ? HealthCheckResult.Unhealthy($"a batch has been in work for {age.TotalSeconds:F0} s, and nothing fails: the model may hang")
                : HealthCheckResult.Healthy("batches are processed"));
}
