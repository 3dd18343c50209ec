using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Health;

/// <summary>
/// Healthy while the consumer polls, the group has told it its partitions, and brokers answer. Trouble that passes by itself,
/// such as one broker of several that is down, leaves the worker ready.
/// </summary>
internal sealed class KafkaHealthCheck(ConsumerStatus status, KafkaTrouble trouble) : IHealthCheck
{
    /// <summary>A poll takes milliseconds; a commit that waits for a broker can hold the next one up for a while.</summary>
    private static readonly TimeSpan MaxPollAge = TimeSpan.FromSeconds(15);

    /// <summary>Longer than a broker's restart of a connection, shorter than what a rollout waits for.</summary>
    private static readonly TimeSpan MaxUnanswered = TimeSpan.FromSeconds(3);

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

        if (trouble.Unanswered > MaxUnanswered)
        {
            return HealthCheckResult.Unhealthy($"no broker has answered for {trouble.Unanswered.TotalSeconds:F0} s: {trouble.Problem}");
        }

        if (status.HasJoined && trouble.Problem is { } problem)
        {
            return HealthCheckResult.Degraded($"{status.AssignedPartitions} partitions assigned, but {problem}");
        }

        return status.HasJoined
            ? HealthCheckResult.Healthy($"{status.AssignedPartitions} partitions assigned")
            : HealthCheckResult.Unhealthy("the consumer group has assigned no partitions yet");
    }
}
