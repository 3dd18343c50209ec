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
        var options = Microsoft.Extensions.Options.Options.Create(new WorkerOptions());
        var buffer = new RecordBuffer(10, 1_000);
        var gatherer = new BatchGatherer(
            buffer, new WorkReader(Microsoft.Extensions.Options.Options.Create(new KafkaOptions()), options, clock), options, clock);
        buffer.Add(new LeasedRecord(Record([1]), new PartitionLease(new TopicPartition("t", 0)), clock.GetTimestamp()));
        clock.UtcNow = Now.AddHours(-1);

        var batch = await gatherer.NextAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Single(batch);
    }

    private sealed class SettableClock : TimeProvider
    {
        public DateTimeOffset UtcNow { get; set; }

        public override DateTimeOffset GetUtcNow() => UtcNow;
    }
}
