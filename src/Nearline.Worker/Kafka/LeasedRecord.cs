namespace Nearline.Worker.Kafka;

/// <summary>A record and the assignment under which it was received.</summary>
/// <param name="Record">The record.</param>
/// <param name="Lease">The assignment.</param>
/// <param name="ReceivedAt">When, as a timestamp of the clock: unlike the time of day it never jumps.</param>
internal sealed record LeasedRecord(ConsumedRecord Record, PartitionLease Lease, long ReceivedAt)
{
    /// <summary>What is left to remember of it when its content is no longer needed.</summary>
    public LeasedRecord WithoutContent() =>
        this with { Record = Record with { Key = null, Value = null, Headers = null } };
}
