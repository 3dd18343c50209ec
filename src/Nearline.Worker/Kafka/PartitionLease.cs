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
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, int> held = [];

    public TopicPartition Partition { get; } = partition;

    /// <summary>Whether the partition was taken away: its waiting records are another worker's now.</summary>
    public bool IsRevoked => Volatile.Read(ref revoked) != 0;

    /// <summary>The offset up to which all records are processed and may be committed; -1 before the first.</summary>
    public long Processed => Interlocked.Read(ref processed);

    /// <summary>
    /// The offset that may be committed: <see cref="Processed"/>, but none past a held record; -1 before the first.
    /// </summary>
    public long Committable
    {
        get
        {
            lock (gate)
            {
                var done = Processed;
                foreach (var (first, _) in held)
                {
                    return Math.Min(done, first);
                }

                return done;
            }
        }
    }

    /// <summary>What was committed last; -1: nothing under this lease. Only the consumer's thread uses it.</summary>
    public long Committed { get; set; } = -1;

    /// <summary>When a record or the end was received last, by the clock's timestamp. Only the consumer's thread uses it.</summary>
    public long LastReceived { get; set; }

    /// <summary>The next offset to receive; -1 before the first. Only the consumer's thread uses it.</summary>
    public long NextToReceive { get; private set; } = -1;

    /// <summary>The next offset to process, as far as known; -1 before anything was received.</summary>
    public long Next => Math.Max(Processed, Interlocked.Read(ref reached));

    /// <summary>
    /// Keeps the record from being committed until it is let go as often as it was held: a crash or the next owner gets
    /// it again. To be called before it is counted as processed.
    /// </summary>
    public void Hold(long offset)
    {
        lock (gate)
        {
            held[offset] = held.GetValueOrDefault(offset) + 1;
        }
    }

    /// <summary>Ends one hold of the record.</summary>
    public void LetGo(long offset)
    {
        lock (gate)
        {
            if (held.TryGetValue(offset, out var times) && times > 1)
            {
                held[offset] = times - 1;
            }
            else
            {
                held.Remove(offset);
            }
        }
    }

    public void Revoke() => Volatile.Write(ref revoked, 1);

    /// <summary>A record was received.</summary>
    public void Received(long offset, long at)
    {
        (NextToReceive, LastReceived) = (offset + 1, at);
        Interlocked.CompareExchange(ref reached, offset, -1);
        Interlocked.Increment(ref waiting);
    }

    /// <summary>The end was reached; with nothing waiting, that is how far processing is, too.</summary>
    public void ReachedEnd(long offset, long at)
    {
        (NextToReceive, LastReceived) = (offset, at);
        if (Interlocked.Read(ref waiting) == 0)
        {
            Interlocked.Exchange(ref reached, offset);
        }
    }

    /// <summary>Records were processed: all up to this offset but those that are held. One caller at a time.</summary>
    public void Done(long nextOffset, int records)
    {
        Interlocked.Exchange(ref processed, Math.Max(Processed, nextOffset));
        Interlocked.Add(ref waiting, -records);
    }
}
