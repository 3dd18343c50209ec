using System.Diagnostics;
using Nearline.Worker.Events;

namespace Nearline.Worker.Telemetry;

/// <summary>A span for each batch, linked to the traces of the producers of its events.</summary>
internal static class WorkerTracing
{
    /// <summary>More links than this help nobody and cost at the exporter.</summary>
    private const int MaxLinks = 128;

    private static readonly ActivitySource Source = new(MetricNames.Source);

    public static Activity? StartBatch(IEnumerable<UserEventRecord> events, int records)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var links = events.Where(e => e.Trace != default).Take(MaxLinks).Select(e => new ActivityLink(e.Trace)).ToList();
        return Source.StartActivity(
            "process batch",
            ActivityKind.Consumer,
            parentContext: default,
            tags:
            [
                new(MetricNames.MessagingSystem, "kafka"),
                new(MetricNames.OperationName, "process"),
                new(MetricNames.OperationType, "process"),
                new(MetricNames.BatchMessageCount, records),
            ],
            links);
    }

    /// <summary>A step of the batch.</summary>
    public static Activity? StartStep(string name) => Source.StartActivity(name);
}
