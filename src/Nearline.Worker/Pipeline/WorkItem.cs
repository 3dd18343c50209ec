using Nearline.Worker.Events;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Pipeline;

/// <summary>A record and what it says: exactly one of event, refresh and rejection is there.</summary>
internal sealed record WorkItem(
    LeasedRecord Source, UserEventRecord? Event, UserRefresh? Refresh, RejectedRecordException? Rejection)
{
    /// <summary>The user that it is about; null for a rejected record.</summary>
    public string? UserId => Event?.UserId ?? Refresh?.UserId;
}
