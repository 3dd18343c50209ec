using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>What the consumer's thread tells health checks and metrics. Thread-safe.</summary>
internal sealed class ConsumerStatus(TimeProvider clock)
{
    private long lastPoll;
    private volatile bool started;
    private volatile bool joined;
    private volatile IReadOnlyCollection<KeyValuePair<TopicPartition, long>> lag = [];
    private int assigned;

    /// <summary>Whether the group has told this worker its partitions; there may be none.</summary>
    public bool HasJoined => joined;

    public int AssignedPartitions => Volatile.Read(ref assigned);

    /// <summary>Records not yet processed, by partition.</summary>
    public IReadOnlyCollection<KeyValuePair<TopicPartition, long>> Lag => lag;

    /// <summary>Time since the last poll; null before the first.</summary>
    public TimeSpan? PollAge => started ? clock.GetElapsedTime(Interlocked.Read(ref lastPoll)) : null;

    public void Polled()
    {
        Interlocked.Exchange(ref lastPoll, clock.GetTimestamp());
        started = true;
    }

    public void Joined(int partitions)
    {
        Volatile.Write(ref assigned, partitions);
        joined = true;
    }

    /// <summary>Partitions were lost; when none is left, the group has to be joined anew.</summary>
    public void Lost(int left)
    {
        Volatile.Write(ref assigned, left);
        joined = left > 0;
    }

    public void Left()
    {
        Volatile.Write(ref assigned, 0);
        joined = false;
        lag = [];
    }

    public void Measured(IReadOnlyCollection<KeyValuePair<TopicPartition, long>> measured) => lag = measured;
}
