using Microsoft.Extensions.Options;
using Nearline.Worker.Events;
using Nearline.Worker.Kafka;
using Nearline.Worker.Options;

namespace Nearline.Worker.Pipeline;

/// <summary>Decodes a record by its topic.</summary>
internal sealed class WorkReader(IOptions<KafkaOptions> kafka, IOptions<WorkerOptions> worker, TimeProvider clock)
{
    private readonly EventDecoder decoder = new(clock, worker.Value.MaxFutureSkew);
    private readonly string refreshTopic = kafka.Value.RefreshTopic;

    public WorkItem Read(LeasedRecord source)
    {
        try
        {
            return string.Equals(source.Record.Topic, refreshTopic, StringComparison.Ordinal)
                ? new WorkItem(source, null, RefreshDecoder.Decode(source.Record), null)
                : new WorkItem(source, decoder.Decode(source.Record), null, null);
        }
        catch (RejectedRecordException rejection)
        {
            return new WorkItem(source, null, null, rejection);
        }
    }
}
