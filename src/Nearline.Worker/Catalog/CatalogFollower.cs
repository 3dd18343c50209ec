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
    WorkerMetrics metrics,
    IOptions<KafkaOptions> kafka,
    TimeProvider clock,
    ILogger<CatalogFollower> logger) : BackgroundService
{
    private const int MaxChanges = 5000;
    private const int NamesShown = 5;

    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PartitionsInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TopicInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(2);

    private readonly Dictionary<TopicPartition, Offset> next = [];
    private bool isMissed;

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.ObserveCatalog(() => host.Catalog);
        return kafka.Value.CatalogTopic.Length == 0
            ? Task.CompletedTask
            : Task.Factory.StartNew(() => Run(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Follow(stopping);
            }
            catch (KafkaException e)
            {
                logger.CatalogConsumerFailed(e.Error.Code, e.Error.Reason);
                stopping.WaitHandle.WaitOne(RestartDelay);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void Follow(CancellationToken stopping)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(kafka.Value.ToCatalogConfig())
            .SetKeyDeserializer(Deserializers.ByteArray)
            .SetValueDeserializer(Deserializers.ByteArray)
            .SetErrorHandler((_, error) => logger.ConsumerError(error.Code, error.Reason))
            .SetLogHandler((_, message) => logger.KafkaClient(message.Facility, message.Message))
            .Build();
        var changes = new List<CatalogChange>();
        var asked = 0L;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                if (asked == 0 || clock.GetElapsedTime(asked) >= (next.Count == 0 ? TopicInterval : PartitionsInterval))
                {
                    asked = clock.GetTimestamp();
                    Assign(consumer);
                }

                // Shows come in bursts, and each hand-over renews the side segment.
                if (Poll(consumer, stopping) is not { } result || result.IsPartitionEOF || !Read(result, changes) || changes.Count >= MaxChanges)
                {
                    Apply(changes, stopping);
                }
            }
        }
        finally
        {
            consumer.Close();
        }
    }

    /// <summary>Takes up partitions that are new; the topic may come into being after the worker.</summary>
    private void Assign(IConsumer<byte[]?, byte[]?> consumer)
    {
        var topic = kafka.Value.CatalogTopic;
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var metadata = admin.GetMetadata(topic, MetadataTimeout).Topics.Find(t => string.Equals(t.Topic, topic, StringComparison.Ordinal));
        if (metadata is null || metadata.Error.IsError || metadata.Partitions.Count == 0)
        {
            if (!isMissed)
            {
                isMissed = true;
                logger.CatalogMissing(topic, metadata?.Error.Reason ?? "the brokers do not know it");
            }

            return;
        }

        var isNew = consumer.Assignment.Count != metadata.Partitions.Count;
        foreach (var partition in metadata.Partitions)
        {
            next.TryAdd(new TopicPartition(topic, partition.PartitionId), Offset.Beginning);
        }

        if (isNew)
        {
            isMissed = false;
            consumer.Assign(next.Select(n => new TopicPartitionOffset(n.Key, n.Value)));
        }
    }

    private ConsumeResult<byte[]?, byte[]?>? Poll(IConsumer<byte[]?, byte[]?> consumer, CancellationToken stopping)
    {
        if (next.Count == 0)
        {
            stopping.WaitHandle.WaitOne(PollTimeout);
            return null;
        }

        try
        {
            return consumer.Consume(PollTimeout);
        }
        catch (ConsumeException e) when (!e.Error.IsFatal)
        {
            logger.ConsumerError(e.Error.Code, e.Error.Reason);
            return null;
        }
    }

    /// <summary>Adds the record's change; whether it has one.</summary>
    private bool Read(ConsumeResult<byte[]?, byte[]?> result, List<CatalogChange> changes)
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

    private void Apply(List<CatalogChange> changes, CancellationToken stopping)
    {
        if (changes.Count == 0)
        {
            return;
        }

        CatalogChange[] taken = [.. changes];
        changes.Clear();
        if (host.ApplyAsync(taken, stopping).GetAwaiter().GetResult() is not { } state)
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
