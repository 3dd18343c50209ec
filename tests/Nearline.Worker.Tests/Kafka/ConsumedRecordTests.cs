using Confluent.Kafka;
using Nearline.Worker.Kafka;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Kafka;

public sealed class ConsumedRecordTests
{
    [Theory]
    [InlineData(1_700_000_000_000_000L)]
    [InlineData(1_700_000_000_000_000_000L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Timestamp_that_is_no_time_in_milliseconds_is_none(long timestamp) =>
        Assert.Null(ConsumedRecord.From(Result(new Timestamp(timestamp, TimestampType.CreateTime)), Now).Timestamp);

    [Fact]
    public void Timestamp_is_the_brokers_or_the_producers()
    {
        Assert.Equal(Now, ConsumedRecord.From(Result(new Timestamp(Now.ToUnixTimeMilliseconds(), TimestampType.LogAppendTime)), Now).Timestamp);
        Assert.Null(ConsumedRecord.From(Result(new Timestamp(0, TimestampType.NotAvailable)), Now).Timestamp);
    }

    [Fact]
    public void Size_is_that_of_key_value_and_headers() =>
        Assert.Equal(2 + 5 + 4, Record(new byte[5], "u1", [("h", "blue")]).Bytes);

    private static ConsumeResult<byte[]?, byte[]?> Result(Timestamp timestamp) => new()
    {
        TopicPartitionOffset = new TopicPartitionOffset("t", 0, 0),
        Message = new Message<byte[]?, byte[]?> { Timestamp = timestamp },
    };
}
