using System.Diagnostics;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>
/// A worker at work and a fault of Redis under it: nothing is lost or counted twice, the worker is not ready but alive
/// and polls on, and the log has one line when it begins and one when it is over.
/// </summary>
public sealed class RedisFaultTests
{
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(10);

    [Fact]
    public Task Redis_that_stands_still_for_ten_seconds() => RunAsync(
        async (infrastructure, worker, _) =>
        {
            infrastructure.Redis.Suspend();
            await StaysUnreadyAsync(worker, Stopwatch.StartNew());
            infrastructure.Redis.Resume();
        });

    [Fact]
    public Task Redis_that_is_killed_and_comes_back_with_its_data() => RunAsync(
        async (infrastructure, worker, _) =>
        {
            await infrastructure.Redis.KillAsync();
            await StaysUnreadyAsync(worker, Stopwatch.StartNew());
            await infrastructure.Redis.RestartAsync();
        });

    [Fact]
    public Task Redis_that_is_full() => RunAsync(
        async (infrastructure, worker, _) =>
        {
            await infrastructure.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
            await UnreadyAsync(worker);
            Assert.Contains("OOM", (await worker.GetAsync("/healthz/ready")).Body, StringComparison.Ordinal);
            await infrastructure.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        });

    [Fact]
    public Task Redis_that_answers_late() => RunAsync(
        async (_, worker, link) =>
        {
            // Slow, but in time: it goes on, only slower.
            var before = worker.Meters.Sum(MetricNames.Events);
            link.Delay = TimeSpan.FromMilliseconds(200);
            await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.Events) > before + 16, "events are processed");

            // Later than it waits.
            link.Delay = TimeSpan.FromSeconds(2);
            await UnreadyAsync(worker);
            link.Delay = TimeSpan.Zero;
        });

    private static async Task RunAsync(Func<Infrastructure, RunningWorker, SlowLink, Task> fault)
    {
        await using var infrastructure = await Infrastructure.StartAsync(2, "--appendonly", "yes");
        var random = new Random(13);
        var logs = Enumerable.Range(0, 6).Select(i => Lives.Log(random, $"u{i}", 40)).ToList();
        List<List<Worker.Events.UserEventRecord>> Part(int from, int to) => logs.ConvertAll(l => l[from..to]);
        await using var link = new SlowLink(infrastructure.RedisAddress);
        await using var worker = await RunningWorker.StartAsync(
            infrastructure,
            new FakeRetrieverSource().Activate(new FakeRetriever("m1")),
            null,
            "--Kafka:CatalogTopic=",
            "--Worker:BatchMaxEvents=16",
            "--Worker:RedisTimeout=00:00:01",
            $"--Redis:ConnectionString={link.Address}");
        await infrastructure.PublishAsync(random, Part(0, 10));
        await worker.ReadyAsync();
        var publishing = infrastructure.PublishAsync(random, Part(10, 40));
        await fault(infrastructure, worker, link);

        var last = await publishing;
        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        await worker.ReadyAsync();
        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.ConsumerLag) == 0, "the lag is gone");

        // A line an incident, and few incidents: a connection to a server that has just come back can break once more.
        var begun = worker.Logs.Warnings("Redis: trouble begins").Count();
        Assert.InRange(begun, 1, 3);
        Assert.Equal(begun, worker.Logs.Information("Redis: trouble is over").Count());
        Assert.Equal(0, worker.Meters.Gauge(MetricNames.RedisBreaker));
    }

    private static Task UnreadyAsync(RunningWorker worker) => Eventually.PassAsync(async () =>
    {
        var (status, body) = await worker.GetAsync("/healthz/ready");
        Assert.Equal(503, status);
        Assert.Contains("retrying", body, StringComparison.Ordinal);
    });

    private static async Task StaysUnreadyAsync(RunningWorker worker, Stopwatch since)
    {
        await UnreadyAsync(worker);
        while (since.Elapsed < Away)
        {
            Assert.Equal(200, (await worker.GetAsync("/healthz/live")).Status);
            Assert.Equal(503, (await worker.GetAsync("/healthz/ready")).Status);
            Assert.True(worker.Meters.Gauge(MetricNames.PollAge) < 10, "it polls on");
            await Task.Delay(50);
        }
    }
}
