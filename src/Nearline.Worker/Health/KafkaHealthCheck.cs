using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Health;

/// <summary>Healthy while the consumer polls and the group has told it its partitions.</summary>
internal sealed class KafkaHealthCheck(ConsumerStatus status) : IHealthCheck
{
    /// <summary>A poll takes milliseconds; a commit that waits for a broker can hold the next one up for a while.</summary>
    private static readonly TimeSpan MaxPollAge = TimeSpan.FromSeconds(15);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        if (status.PollAge is not { } age)
        {
            return HealthCheckResult.Unhealthy("the consumer has not started: it waits for a model");
        }

        if (age > MaxPollAge)
        {
            return HealthCheckResult.Unhealthy($"the last poll was {age.TotalSeconds:F1} s ago; at most {MaxPollAge.TotalSeconds:F0} s are right");
        }

        return status.HasJoined
            ? HealthCheckResult.Healthy($"{status.AssignedPartitions} partitions assigned")
            : HealthCheckResult.Unhealthy("the consumer group has assigned no partitions yet");
    }
}
