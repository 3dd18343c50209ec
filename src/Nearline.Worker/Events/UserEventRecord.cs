using System.Diagnostics;
using Nearline.Model.Behaviours;

namespace Nearline.Worker.Events;

/// <summary>A valid event and where it stands in its topic.</summary>
/// <param name="UserId">Who acted.</param>
/// <param name="Action">What the user did, and when.</param>
/// <param name="EventId">The producer's id of the event, or <c>topic/partition/offset</c> when it gave none.</param>
/// <param name="Identity">Hash of source and event id; null when the producer gave no id.</param>
/// <param name="Topic">The topic it came from.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset.</param>
internal sealed record UserEventRecord(
    string UserId,
    UserAction Action,
    string EventId,
    ulong? Identity,
    string Topic,
    int Partition,
    long Offset)
{
    /// <summary>When Kafka got it, by the record's timestamp.</summary>
    public DateTimeOffset ArrivedAt { get; init; }

    /// <summary>The producer's trace, when it sent one.</summary>
    public ActivityContext Trace { get; init; }
}
