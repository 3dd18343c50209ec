using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nearline.Worker.Health;
using Nearline.Worker.Kafka;
using Nearline.Worker.Pipeline;

namespace Nearline.Worker.Tests.Health;

public sealed class PipelineHealthCheckTests
{
    private static readonly PartitionLease Lease = new(new TopicPartition("t", 0));

    private readonly Clock clock = new();
    private readonly Stall stall = new();
    private readonly BatchGate gate;
    private readonly PipelineHealthCheck check;

    public PipelineHealthCheckTests()
    {
        gate = new BatchGate(clock);
        check = new PipelineHealthCheck(stall, gate);
    }

    [Fact]
    public async Task A_batch_that_never_ends_shows_and_one_that_ends_does_not()
    {
        var (_, first) = gate.Enter([1], _ => Lease);
        clock.Now += TimeSpan.FromSeconds(29);
        var (_, second) = gate.Enter([2], _ => Lease);
        Assert.Equal(HealthStatus.Healthy, (await LookAsync()).Status);

        clock.Now += TimeSpan.FromSeconds(2);
        var wedged = await LookAsync();
        Assert.Equal(HealthStatus.Unhealthy, wedged.Status);
        Assert.Contains("in work for 31 s", wedged.Description, StringComparison.Ordinal);

        gate.Leave(first, null);
        Assert.Equal(HealthStatus.Healthy, (await LookAsync()).Status);
        gate.Leave(second, null);
        clock.Now += TimeSpan.FromHours(1);
        Assert.Equal(HealthStatus.Healthy, (await LookAsync()).Status);
    }

    [Fact]
    public async Task What_is_retried_is_named_before_how_long_it_takes()
    {
        gate.Enter([1], _ => Lease);
        clock.Now += TimeSpan.FromSeconds(31);
        stall.Begin(this, "store: no connection");
        Assert.Equal("retrying store: no connection", (await LookAsync()).Description);
    }

    private Task<HealthCheckResult> LookAsync() => check.CheckHealthAsync(new HealthCheckContext());

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
