using System.Threading.Channels;

namespace Nearline.Worker.Kafka;

/// <summary>
/// Between the consumer, which must never wait, and the batches. The limit is soft: at <see cref="IsFull"/> the
/// consumer pauses its partitions, and the few records already under way still fit in.
/// </summary>
internal sealed class RecordBuffer(int capacity)
{
    private readonly Channel<LeasedRecord> channel = Channel.CreateUnbounded<LeasedRecord>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private int count;

    public int Count => Volatile.Read(ref count);

    public bool IsFull => Count >= capacity;

    /// <summary>Whether it is time to resume after a pause: later than not full, so that it does not flutter.</summary>
    public bool HasDrained => Count <= capacity / 2;

    public void Add(LeasedRecord record)
    {
        Interlocked.Increment(ref count);
        channel.Writer.TryWrite(record);
    }

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LeasedRecord? record)
    {
        if (!channel.Reader.TryRead(out record))
        {
            return false;
        }

        Interlocked.Decrement(ref count);
        return true;
    }

    /// <summary>Completes when there is a record to take.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) =>
        await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
}
