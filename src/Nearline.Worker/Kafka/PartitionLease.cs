using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>
/// One assignment of one partition: from when the group gave it to this worker until it was taken away. Records refer
/// to the lease they came under, so that work of an earlier assignment is told apart from work of the present one.
/// Thread-safe.
/// </summary>
internal sealed class PartitionLease(TopicPartition partition)
{
    private long processed = -1;
    private long reached = -1;
    private long waiting;
    private int revoked;

    public TopicPartition Partition { get; } = partition;

    /// <summary>Whether the partition was taken away: its waiting records are another worker's now.</summary>
    public bool IsRevoked => Volatile.Read(ref revoked) != 0;

    /// <summary>The offset up to which all records are processed and may be committed; -1 before the first.</summary>
    public long Processed => Interlocked.Read(ref processed);

    /// <summary>What was committed last; -1: nothing under this lease. Only the consumer's thread uses it.</summary>
    public long Committed { get; set; } = -1;

    /// <summary>The next offset to process, as far as known; -1 before anything was received.</summary>
    public long Next => Math.Max(Processed, Interlocked.Read(ref reached));

    public void Revoke() => Volatile.Write(ref revoked, 1);

    /// <summary>A record was received.</summary>
    public void Received(long offset)
    {
        Interlocked.CompareExchange(ref reached, offset, -1);
        Interlocked.Increment(ref waiting);
    }

    /// <summary>The end was reached; with nothing waiting, that is how far processing is, too.</summary>
    public void ReachedEnd(long offset)
    {
        if (Interlocked.Read(ref waiting) == 0)
        {
            Interlocked.Exchange(ref reached, offset);
        }
    }

    /// <summary>Records were processed, all up to this offset.</summary>
    public void Done(long nextOffset, int records)
    {
        Interlocked.Exchange(ref processed, nextOffset);
        Interlocked.Add(ref waiting, -records);
    }
}
