namespace Nearline.Worker.Kafka;

/// <summary>A record and the assignment under which it was received.</summary>
internal sealed record LeasedRecord(ConsumedRecord Record, PartitionLease Lease);
