using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class RebalanceTests
{
    [Fact]
    public async Task Workers_that_come_and_go_while_events_flow_count_each_event_once()
    {
        await using var infrastructure = await Infrastructure.StartAsync(partitions: 4);
        var random = new Random(11);
        var logs = Enumerable.Range(0, 12).Select(i => Lives.Log(random, $"u{i}", 60)).ToList();
        List<List<Worker.Events.UserEventRecord>> Part(int from, int to) => logs.ConvertAll(l => l[from..to]);
        FakeRetrieverSource Source() => new FakeRetrieverSource().Activate(new FakeRetriever("m1"));
        await using var first = await RunningWorker.StartAsync(infrastructure, Source(), null, "--Worker:BatchMaxEvents=16");
        await infrastructure.PublishAsync(random, Part(0, 20));
        await Eventually.TrueAsync(() => first.Meters.Sum(MetricNames.Events, ("outcome", "applied")) > 20, "the first works");

        await using var second = await RunningWorker.StartAsync(infrastructure, Source(), null, "--Worker:BatchMaxEvents=16");
        var published = infrastructure.PublishAsync(random, Part(20, 40));
        await second.ReadyAsync();
        // Four partitions of events and one of refreshes.
        await Eventually.PassAsync(() =>
        {
            Assert.InRange(first.AssignedPartitions, 2, 3);
            Assert.Equal(5, first.AssignedPartitions + second.AssignedPartitions);
            return Task.CompletedTask;
        });
        await published;
        published = infrastructure.PublishAsync(random, Part(40, 60));
        await first.StopAsync();
        var last = await published;

        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        Assert.True(second.Meters.Sum(MetricNames.Events, ("outcome", "applied")) > 0, "the second works");
    }
}
