using Confluent.Kafka;
using Nearline.Cli.Console;

namespace Nearline.Cli.DeadLetters;

/// <summary>Reads the dead-letter topic from its beginning to its present end; it joins no group and commits nothing.</summary>
internal sealed class DeadLetterTopic(string bootstrapServers, string topic)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>All records, by partition and offset.</summary>
    /// <exception cref="CliException">The topic does not exist.</exception>
    /// <exception cref="KafkaException">Kafka does not answer.</exception>
    public IEnumerable<DeadRecord> Read(CancellationToken cancellationToken)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "nearline-dlq",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            IsolationLevel = IsolationLevel.ReadCommitted,
            EnablePartitionEof = true,
            AllowAutoCreateTopics = false,
            FetchWaitMaxMs = 50,
        }).SetKeyDeserializer(Deserializers.ByteArray).SetValueDeserializer(Deserializers.ByteArray).SetLogHandler((_, _) => { }).Build();
        foreach (var partition in Partitions(consumer))
        {
            var ends = consumer.QueryWatermarkOffsets(partition, Timeout);
            var end = ends.High.Value;
            if (ends.Low.Value >= end)
            {
                continue;
            }

            consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is not { } result)
                {
                    continue;
                }

                if (result.IsPartitionEOF)
                {
                    break;
                }

                if (result.Offset.Value < end)
                {
                    yield return DeadRecord.Of(result);
                }

                if (result.Offset.Value + 1 >= end)
                {
                    break;
                }
            }
        }
    }

    private IEnumerable<TopicPartition> Partitions(IConsumer<byte[]?, byte[]?> consumer)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var found = admin.GetMetadata(topic, Timeout).Topics.Single();
        if (found.Error.IsError)
        {
            throw new CliException($"--topic is '{topic}': {found.Error.Reason}");
        }

        return found.Partitions.Select(p => new TopicPartition(topic, p.PartitionId)).OrderBy(p => p.Partition.Value).ToList();
    }
}
