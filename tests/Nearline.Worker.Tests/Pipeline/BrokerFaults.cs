using Confluent.Kafka;
using Nearline.LocalServers.Kafka;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>
/// A worker at work, a fault of the brokers that lasts until the log tells of it, more events meanwhile: nothing is lost
/// or counted twice, the lag is gone afterwards, and each incident is one line when it begins and one when it is over.
/// </summary>
internal static class BrokerFaults
{
    private const int Many = 5000;

    /// <summary>Errors that the brokers answer a kind of request with.</summary>
    public static Task AnswerAsync(string kind, ErrorCode code, params KafkaRequest[] requests) => RunAsync(
        kafka => Array.ForEach(requests, request => kafka.FailNext(request, [.. Enumerable.Repeat(code, Many)])),
        kafka => Array.ForEach(requests, kafka.ClearFailures),
        worker => Eventually.TrueAsync(() => worker.Logs.Warnings($"Kafka: trouble begins, tried again until it is over: {kind}").Count == 1, "the log tells of it"));

    /// <param name="begin">Begins the fault.</param>
    /// <param name="end">Ends it.</param>
    /// <param name="during">What is to be seen meanwhile.</param>
    public static async Task RunAsync(Action<MockKafkaCluster> begin, Action<MockKafkaCluster> end, Func<RunningWorker, Task> during)
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var random = new Random(12);
        var logs = Enumerable.Range(0, 6).Select(i => Lives.Log(random, $"u{i}", 40)).ToList();
        List<List<Worker.Events.UserEventRecord>> Part(int from, int to) => logs.ConvertAll(l => l[from..to]);
        await using var worker = await RunningWorker.StartAsync(
            infrastructure, new FakeRetrieverSource().Activate(new FakeRetriever("m1")), null, "--Kafka:CatalogTopic=", "--Worker:BatchMaxEvents=16");
        await infrastructure.PublishAsync(random, Part(0, 10));
        await worker.ReadyAsync();
        var publishing = infrastructure.PublishAsync(random, Part(10, 40));
        begin(infrastructure.Kafka);
        await during(worker);
        end(infrastructure.Kafka);

        var last = await publishing;
        await infrastructure.CountedOnceAsync(logs);
        foreach (var record in last)
        {
            await infrastructure.CommittedPastAsync(record);
        }

        await Eventually.TrueAsync(() => worker.Meters.Gauge(MetricNames.ConsumerLag) == 0, "the lag is gone");
        await Eventually.TrueAsync(
            () => worker.Logs.Information("Kafka: trouble is over").Count is > 0 and var over && over == worker.Logs.Warnings("Kafka: trouble begins").Count,
            "the log tells of the end");
        await worker.ReadyAsync();

        // A line an incident, not one an error; what is met on the way back may be an incident of its own.
        Assert.InRange(worker.Logs.Warnings("Kafka").Count, 1, 4);
        Assert.Empty(worker.Logs.Warnings("made anew"));
        Assert.True(worker.Meters.Sum(MetricNames.KafkaErrors) >= 1);
    }
}
