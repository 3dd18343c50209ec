using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Model.Serving;
using Nearline.Worker.Events;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Catalog;

/// <summary>
/// Follows the compacted catalog topic: reads all of it at the start, then what comes, and hands it to the model. Every
/// worker reads every partition, without a group: nothing is committed. A record that cannot be used is named in the
/// log and counted; what was known of its show stays.
/// </summary>
internal sealed class CatalogFollower(
    ModelHost host,
    Func<ICatalogTopic> open,
    WorkerMetrics metrics,
    IOptions<KafkaOptions> kafka,
    TimeProvider clock,
    ILogger<CatalogFollower> logger) : BackgroundService
{
    /// <summary>At once: embedding a show by a content graph takes some 0.3 ms, and users' batches wait for it.</summary>
    private const int MaxChanges = 500;
    private const int NamesShown = 5;

    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PartitionsInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TopicInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(2);

    private readonly Dictionary<TopicPartition, Offset> next = [];
    private readonly List<CatalogChange> changes = [];
    private ErrorCode? missed;
    private string? failure;

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.ObserveCatalog(() => host.Catalog);
        return kafka.Value.CatalogTopic.Length == 0
            ? Task.CompletedTask
            : Task.Factory.StartNew(() => Run(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static TimeSpan Interval(int assigned) => assigned == 0 ? TopicInterval : PartitionsInterval;

    private void Run(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Follow(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever is wrong with the catalog, events are served. What repeats is said once.
                if (!string.Equals(failure, e.Message, StringComparison.Ordinal))
                {
                    failure = e.Message;
                    logger.CatalogFailed(e.Message, e);
                }

                stopping.WaitHandle.WaitOne(RestartDelay);
            }
        }
    }

    private void Follow(CancellationToken stopping)
    {
        using var topic = open();
        var assigned = 0;
        long? asked = null;
        while (!stopping.IsCancellationRequested)
        {
            if (asked is not { } at || clock.GetElapsedTime(at) >= Interval(assigned))
            {
                asked = clock.GetTimestamp();
                assigned = Assign(topic, assigned);
            }

            // Shows come in bursts, and each hand-over renews the side segment.
            if (Poll(topic, assigned, stopping) is not { } result || result.IsPartitionEOF || !Read(result) || changes.Count >= MaxChanges)
            {
                Apply(stopping);
            }
        }
    }

    /// <summary>Takes up partitions that are new; the topic may come into being after the worker, or lose its brokers for a while.</summary>
    /// <returns>How many are assigned now.</returns>
    private int Assign(ICatalogTopic topic, int assigned)
    {
        var name = kafka.Value.CatalogTopic;
        TopicMetadata? metadata = null;
        Error error;
        try
        {
            metadata = topic.Describe();
            error = metadata?.Error ?? new Error(ErrorCode.UnknownTopicOrPart, "the brokers do not know it");
        }
        catch (KafkaException e) when (!e.Error.IsFatal)
        {
            error = e.Error;
        }

        if (error.IsError || metadata is not { Partitions.Count: > 0 })
        {
            if (missed != error.Code)
            {
                missed = error.Code;
                logger.CatalogMissing(name, error.Code, error.Reason, Interval(assigned).TotalSeconds);
            }

            return assigned;
        }

        (missed, failure) = (null, null);
        foreach (var partition in metadata.Partitions)
        {
            next.TryAdd(new TopicPartition(name, partition.PartitionId), Offset.Beginning);
        }

        if (assigned != next.Count)
        {
            topic.Assign(next.Select(n => new TopicPartitionOffset(n.Key, n.Value)));
            logger.CatalogFollowed(name, next.Count);
        }

        return next.Count;
    }

    private static ConsumeResult<byte[]?, byte[]?>? Poll(ICatalogTopic topic, int assigned, CancellationToken stopping)
    {
        if (assigned > 0)
        {
            return topic.Consume(PollTimeout);
        }

        stopping.WaitHandle.WaitOne(PollTimeout);
        return null;
    }

    /// <summary>Adds the record's change; whether it has one.</summary>
    private bool Read(ConsumeResult<byte[]?, byte[]?> result)
    {
        next[result.TopicPartition] = result.Offset + 1;
        var record = ConsumedRecord.From(result, clock.GetUtcNow());
        try
        {
            var change = CatalogDecoder.Decode(record);
            changes.Add(change);
            metrics.CatalogRecord(change.Show is null ? "removed" : "upserted");
            return true;
        }
        catch (RejectedRecordException e)
        {
            metrics.CatalogRecord("rejected");
            logger.CatalogRejected(record.Origin, e.Message);
            return false;
        }
    }

    private ulong Position() => (ulong)next.Values.Sum(offset => Math.Max(0, offset.Value));

    private void Apply(CancellationToken stopping)
    {
        if (changes.Count == 0)
        {
            return;
        }

        CatalogChange[] taken = [.. changes];
        changes.Clear();
        if (host.ApplyAsync(taken, Position(), stopping).GetAwaiter().GetResult() is not { } state)
        {
            return;
        }

        logger.CatalogChanged(taken.Length, state.Added, state.Removed);
        var touched = taken.Select(c => c.ShowId).ToHashSet(StringComparer.Ordinal);
        string[] lost = [.. state.Unreachable.Where(touched.Contains)];
        if (lost.Length > 0)
        {
            logger.CatalogUnreachable(lost.Length, string.Join(", ", lost.Take(NamesShown)));
        }
    }
}
