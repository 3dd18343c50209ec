using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class BatchGathererTests
{
    [Fact]
    public async Task Batch_does_not_wait_for_a_time_of_day_that_was_set_back()
    {
        var clock = new SettableClock { UtcNow = Now };
        var (buffer, gatherer) = Gatherer(clock);
        Add(buffer, clock);
        clock.UtcNow = Now.AddHours(-1);

        var batch = await gatherer.NextAsync(new TaskCompletionSource().Task, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Single(batch);
    }

    [Fact]
    public async Task Batch_is_what_waits_while_the_model_is_free_and_what_comes_while_it_is_busy()
    {
        var (buffer, gatherer) = Gatherer(TimeProvider.System, TimeSpan.FromMinutes(1));
        Add(buffer, TimeProvider.System);
        Add(buffer, TimeProvider.System);
        Assert.Equal(2, (await gatherer.NextAsync(Task.CompletedTask, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30))).Count);

        var busy = new TaskCompletionSource();
        Add(buffer, TimeProvider.System);
        var next = gatherer.NextAsync(busy.Task, CancellationToken.None);
        Assert.False(next.IsCompleted);
        Add(buffer, TimeProvider.System);
        await Support.Eventually.TrueAsync(() => buffer.Count == 0, "the second is taken");
        Assert.False(next.IsCompleted);
        busy.SetResult();
        Assert.Equal(2, (await next.WaitAsync(TimeSpan.FromSeconds(30))).Count);
    }

    private static (RecordBuffer Buffer, BatchGatherer Gatherer) Gatherer(TimeProvider clock, TimeSpan? deadline = null)
    {
        var options = Microsoft.Extensions.Options.Options.Create(new WorkerOptions());
        options.Value.BatchDeadline = deadline ?? options.Value.BatchDeadline;
        var buffer = new RecordBuffer(10, 1_000);
        return (buffer, new BatchGatherer(
            buffer, new DueSets(clock), new SetAside(10, () => "m1", clock), new WorkReader(Microsoft.Extensions.Options.Options.Create(new KafkaOptions()), options, clock), options, clock));
    }

    private static void Add(RecordBuffer buffer, TimeProvider clock) =>
        buffer.Add(new LeasedRecord(Record([1]), new PartitionLease(new TopicPartition("t", 0)), clock.GetTimestamp()));

    private sealed class SettableClock : TimeProvider
    {
        public DateTimeOffset UtcNow { get; set; }

        public override DateTimeOffset GetUtcNow() => UtcNow;
    }
}
