using System.Threading.Channels;

namespace Nearline.Worker.Kafka;

/// <summary>
/// Between the consumer, which must never wait, and the batches. The limits are soft: at <see cref="IsFull"/> the
/// consumer pauses its partitions, and the few records already under way still fit in.
/// </summary>
/// <param name="capacity">How many records may wait.</param>
/// <param name="byteCapacity">How many bytes they may have together: a record can have a million.</param>
internal sealed class RecordBuffer(int capacity, long byteCapacity)
{
    private readonly Channel<LeasedRecord> channel = Channel.CreateUnbounded<LeasedRecord>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private int count;
    private long bytes;

    public int Count => Volatile.Read(ref count);

    public bool IsFull => Count >= capacity || Bytes >= byteCapacity;

    /// <summary>Whether it is time to resume after a pause: later than not full, so that it does not flutter.</summary>
    public bool HasDrained => Count <= capacity / 2 && Bytes <= byteCapacity / 2;

    private long Bytes => Interlocked.Read(ref bytes);

    public void Add(LeasedRecord record)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, record.Record.Bytes);
        channel.Writer.TryWrite(record);
    }

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LeasedRecord? record)
    {
        if (!channel.Reader.TryRead(out record))
        {
            return false;
        }

        Interlocked.Decrement(ref count);
        Interlocked.Add(ref bytes, -record.Record.Bytes);
        return true;
    }

    /// <summary>Completes when there is a record to take.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) =>
        await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
}
