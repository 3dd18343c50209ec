using Confluent.Kafka;
using Nearline.LocalServers.Kafka;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class FetchFaultTests
{
    [Fact]
    public Task Brokers_that_are_no_leaders_any_more() =>
        BrokerFaults.AnswerAsync("standstill", ErrorCode.NotLeaderForPartition, KafkaRequest.Fetch);

    [Fact]
    public Task Requests_that_time_out_at_the_broker() =>
        BrokerFaults.AnswerAsync("RequestTimedOut", ErrorCode.RequestTimedOut, KafkaRequest.Fetch, KafkaRequest.OffsetCommit);
}

public sealed class CoordinatorFaultTests
{
    [Fact]
    public Task A_coordinator_that_is_loading() => BrokerFaults.AnswerAsync(
        ErrorCode.GroupLoadInProgress.ToString(), ErrorCode.GroupLoadInProgress, KafkaRequest.OffsetCommit, KafkaRequest.Heartbeat);

    [Fact]
    public Task Brokers_that_answer_late() => BrokerFaults.RunAsync(
        kafka => kafka.SetLatency(1, TimeSpan.FromSeconds(1)),
        kafka => kafka.SetLatency(1, TimeSpan.Zero),
        worker => Eventually.TrueAsync(() => worker.Logs.Warnings("a commit took").Count == 1, "the log tells of it"));
}

public sealed class BrokerDownTests
{
    /// <summary>How long the broker is away.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(10);

    [Fact]
    public Task A_broker_that_is_down_for_ten_seconds() => BrokerFaults.RunAsync(
        kafka => kafka.BrokerDown(),
        kafka => kafka.BrokerUp(),
        async worker =>
        {
            var since = System.Diagnostics.Stopwatch.StartNew();
            await Eventually.PassAsync(async () =>
            {
                var (status, body) = await worker.GetAsync("/healthz/ready");
                Assert.Equal(503, status);
                Assert.Contains("no broker has answered for", body, StringComparison.Ordinal);
            });
            var polls = 0;
            while (since.Elapsed < Away)
            {
                Assert.Equal(200, (await worker.GetAsync("/healthz/live")).Status);
                Assert.Equal(503, (await worker.GetAsync("/healthz/ready")).Status);
                Assert.True(worker.Meters.Gauge(Telemetry.MetricNames.PollAge) < 10, "it polls on");
                polls++;
                await Task.Delay(50);
            }

            Assert.True(polls > 3);
        });
}
