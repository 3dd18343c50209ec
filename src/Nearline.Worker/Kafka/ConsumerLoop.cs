using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Kafka;

/// <summary>
/// The consumer, on a thread of its own. It polls whatever the tower and Redis are doing, so the group never takes it
/// for dead; when it is ahead it pauses its partitions. All calls of the client, commits among them, happen on this
/// thread, so none can race with a rebalance; only <see cref="PartitionEnds"/> and <see cref="BrokerProbe"/> ask brokers beside it.
/// </summary>
internal sealed class ConsumerLoop(
    IOptions<KafkaOptions> kafka,
    IOptions<WorkerOptions> worker,
    RecordBuffer buffer,
    BatchGate gate,
    Stall stall,
    ConsumerStatus status,
    KafkaTrouble trouble,
    WorkerMetrics metrics,
    TimeProvider clock,
    ILogger<ConsumerLoop> logger)
{
    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan CommitInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LagInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SlowCommit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StandstillAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(2);

    private readonly Dictionary<TopicPartition, PartitionLease> leases = [];
    private long lastCommit;
    private long lastLag;
    private long lastQuiet;
    private bool isPaused;
    private bool hasNewPartitions;

    /// <summary>Runs until cancelled: then leaves the group in good order, after the batch in work.</summary>
    public void Run(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                RunConsumer(stopping);
            }
            catch (KafkaException e)
            {
                // A fatal error, such as being fenced by another member of the same instance id: a new consumer
                // may succeed where this one cannot.
                logger.ConsumerFailed(e.Error.Code, e.Error.Reason);
                stopping.WaitHandle.WaitOne(RestartDelay);
            }
        }
    }

    private void RunConsumer(CancellationToken stopping)
    {
        var options = kafka.Value;
        isPaused = false;
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(options.ToConsumerConfig())
            .SetKeyDeserializer(Deserializers.ByteArray)
            .SetValueDeserializer(Deserializers.ByteArray)
            .SetPartitionsAssignedHandler((_, partitions) => Assigned(partitions))
            .SetPartitionsRevokedHandler((c, partitions) => Revoked(c, partitions.Select(p => p.TopicPartition)))
            .SetPartitionsLostHandler((_, partitions) => Lost(partitions.Select(p => p.TopicPartition)))
            .SetErrorHandler((_, error) => trouble.Failed("consumer", error))
            .SetLogHandler((_, message) => logger.KafkaClient(message.Facility, message.Message))
            .Build();
        using var ends = new PartitionEnds(consumer, clock);
        using var probe = new BrokerProbe(consumer, options.UserEventsTopic, trouble);
        consumer.Subscribe([options.UserEventsTopic, options.RefreshTopic]);
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                status.Polled();
                Poll(consumer);
                PauseOrResume(consumer, ends);
                if (clock.GetElapsedTime(lastCommit) >= CommitInterval)
                {
                    lastCommit = clock.GetTimestamp();
                    Commit(consumer, leases.Values);
                }

                if (clock.GetElapsedTime(lastLag) >= LagInterval)
                {
                    lastLag = clock.GetTimestamp();
                    MeasureLag(consumer, ends);
                    LookForTrouble(ends, probe);
                }
            }
        }
        finally
        {
            ends.Dispose();
            probe.Dispose();
            try
            {
                // Close calls the revocation handler, which waits for the batch in work and commits it.
                consumer.Close();
            }
            finally
            {
                Lost([.. leases.Keys]);
                status.Left();
            }
        }
    }

    private void Poll(IConsumer<byte[]?, byte[]?> consumer)
    {
        ConsumeResult<byte[]?, byte[]?>? result;
        try
        {
            result = consumer.Consume(PollTimeout);
        }
        catch (ConsumeException e) when (!e.Error.IsFatal)
        {
            trouble.Failed("consumer", e.Error);
            return;
        }

        if (result is null || !leases.TryGetValue(result.TopicPartition, out var lease))
        {
            return;
        }

        if (result.IsPartitionEOF)
        {
            lease.ReachedEnd(result.Offset.Value, clock.GetTimestamp());
            return;
        }

        metrics.Consumed(result.Topic);
        var now = clock.GetTimestamp();
        lease.Received(result.Offset.Value, now);
        buffer.Add(new LeasedRecord(ConsumedRecord.From(result, clock.GetUtcNow()), lease, now));
    }

    private void PauseOrResume(IConsumer<byte[]?, byte[]?> consumer, PartitionEnds ends)
    {
        var pause = stall.IsStalled || (isPaused ? !buffer.HasDrained : buffer.IsFull);
        if (pause == isPaused && !hasNewPartitions)
        {
            return;
        }

        // To new partitions the state is applied even when it is the old one: the client remembers a pause beyond the loss
        // of a partition, and would never fetch it again.
        var isNews = pause != isPaused;
        hasNewPartitions = false;
        isPaused = pause;
        if (pause)
        {
            consumer.Pause(consumer.Assignment);
        }
        else
        {
            consumer.Resume(consumer.Assignment);
        }

        if (!pause)
        {
            // A request to the leaders wakes the client's threads, which else notice only within a second that there is
            // something to fetch again.
            ends.Ask([.. leases.Keys]);
        }

        if (isNews)
        {
            logger.Paused(pause, buffer.Count, stall.Reason ?? "none");
        }
    }

    private void Assigned(List<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            leases[partition] = new PartitionLease(partition) { LastReceived = clock.GetTimestamp() };
        }

        hasNewPartitions = true;
        status.Joined(leases.Count);
        logger.PartitionsAssigned(partitions.Count, leases.Count);
    }

    private void Revoked(IConsumer<byte[]?, byte[]?> consumer, IEnumerable<TopicPartition> partitions)
    {
        var taken = Take(partitions);
        if (!gate.Revoke(taken, worker.Value.DrainTimeout))
        {
            // The next owner gets these records again; fences and revisions keep them from counting twice.
            logger.RevokedInWork(taken.Count, worker.Value.DrainTimeout);
        }

        Commit(consumer, taken);
        status.Joined(leases.Count);
        logger.PartitionsRevoked(taken.Count, leases.Count);
    }

    private void Lost(IEnumerable<TopicPartition> partitions)
    {
        var taken = Take(partitions);
        if (taken.Count > 0)
        {
            gate.Revoke(taken, TimeSpan.Zero);
            status.Lost(leases.Count);
            logger.PartitionsLost(taken.Count);
        }
    }

    private List<PartitionLease> Take(IEnumerable<TopicPartition> partitions)
    {
        var taken = new List<PartitionLease>();
        foreach (var partition in partitions)
        {
            if (leases.Remove(partition, out var lease))
            {
                taken.Add(lease);
            }
        }

        return taken;
    }

    private void Commit(IConsumer<byte[]?, byte[]?> consumer, IEnumerable<PartitionLease> held)
    {
        var due = held.Select(lease => (Lease: lease, Offset: lease.Committable))
            .Where(d => d.Offset > d.Lease.Committed)
            .ToList();
        if (due.Count == 0)
        {
            return;
        }

        var asked = clock.GetTimestamp();
        try
        {
            consumer.Commit(due.Select(d => new TopicPartitionOffset(d.Lease.Partition, new Offset(d.Offset))));
        }
        catch (KafkaException e) when (!e.Error.IsFatal)
        {
            // Tried again at the next turn; if the partition has moved on, its next owner repeats the records.
            metrics.Retry("commit", e.Error.Code.ToString());
            trouble.Failed("commit", e.Error);
            return;
        }

        if (clock.GetElapsedTime(asked) is var took && took >= SlowCommit)
        {
            trouble.Failed("slow", $"a commit took {took.TotalSeconds:F1} s");
        }

        foreach (var (lease, offset) in due)
        {
            lease.Committed = offset;
        }
    }

    private void MeasureLag(IConsumer<byte[]?, byte[]?> consumer, PartitionEnds ends)
    {
        // While paused nothing is fetched, and the ends that fetches bring would stand still just when lag grows.
        if (isPaused)
        {
            ends.Ask([.. leases.Keys]);
        }

        var measured = new List<KeyValuePair<TopicPartition, long>>(leases.Count);
        foreach (var (partition, lease) in leases)
        {
            var asked = ends.Of(partition);
            var next = lease.Next >= 0 ? lease.Next : asked.Begin;
            var end = Math.Max(consumer.GetWatermarkOffsets(partition).High.Value, asked.End);
            if (next >= 0 && end >= 0)
            {
                measured.Add(new(partition, Math.Max(0, end - next)));
            }
        }

        status.Measured(measured);
    }

    /// <summary>
    /// The client reports most of what goes wrong, but not a leader that is none any more: it looks for the new one in
    /// silence. So the ends of quiet partitions are asked for, and what lies beyond what was received is trouble.
    /// </summary>
    private void LookForTrouble(PartitionEnds ends, BrokerProbe probe)
    {
        if (!isPaused)
        {
            var quiet = leases.Values.Where(lease => clock.GetElapsedTime(lease.LastReceived) >= StandstillAfter).ToList();
            foreach (var lease in quiet)
            {
                // An answer of just now may be about a record that is on its way.
                if (ends.Of(lease.Partition) is { End: >= 0 } asked && clock.GetElapsedTime(asked.At) >= LagInterval &&
                    asked.End > Math.Max(lease.NextToReceive, asked.Begin))
                {
                    trouble.Failed(
                        "standstill",
                        $"{lease.Partition} has {asked.End - Math.Max(lease.NextToReceive, asked.Begin)} records that the brokers do not hand out; its leader may be moving");
                }
            }

            if (quiet.Count > 0 && clock.GetElapsedTime(lastQuiet) >= StandstillAfter)
            {
                lastQuiet = clock.GetTimestamp();
                ends.Ask(quiet.ConvertAll(lease => lease.Partition));
            }
        }

        if (trouble.Problem is not null)
        {
            probe.Ask();
            trouble.Settle(status.HasJoined);
        }
    }
}
