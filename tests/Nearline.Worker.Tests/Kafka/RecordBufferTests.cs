using Confluent.Kafka;
using Nearline.Worker.Kafka;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Kafka;

public sealed class RecordBufferTests
{
    [Theory]
    [InlineData(4, 1_000_000)]
    [InlineData(1_000, 4 * 100)]
    public void Is_full_at_either_limit_and_drained_at_half(int records, long bytes)
    {
        var buffer = new RecordBuffer(records, bytes);
        var lease = new PartitionLease(new TopicPartition("t", 0));
        for (var i = 0; i < 4; i++)
        {
            Assert.False(buffer.IsFull);
            buffer.Add(new LeasedRecord(Record(new byte[100], key: null), lease, 0));
        }

        Assert.True(buffer.IsFull);
        Assert.True(buffer.TryTake(out _));
        Assert.False(buffer.IsFull || buffer.HasDrained);
        Assert.True(buffer.TryTake(out _));
        Assert.True(buffer.HasDrained);
    }
}
