using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Api.Fallbacks;
using Nearline.Contracts;

namespace Nearline.Api.Health;

/// <summary>Healthy once there is something to answer with when a user has no set.</summary>
internal sealed class FallbackListsHealthCheck(FallbackLists lists) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var current = lists.Current;
        return Task.FromResult(current switch
        {
            { Loaded: false } => HealthCheckResult.Unhealthy("fallback lists have not been read from Redis yet"),
            { Scenarios.Count: 0 } => HealthCheckResult.Unhealthy(
                $"Redis has no {RedisKeys.Scenarios}: no worker has published a model yet"),
            _ => HealthCheckResult.Healthy(
                $"{current.Scenarios.Count} scenarios of model {current.ModelVersion}, {current.ListCount} lists"),
        });
    }
}
