namespace Nearline.Worker.Kafka;

/// <summary>A record that cannot be used, and why.</summary>
/// <param name="Record">The record.</param>
/// <param name="Error">Names the field, the value and what would be right.</param>
/// <param name="Reason">What is wrong, from a bounded set: a label of metrics.</param>
/// <param name="Attempts">How often it was tried.</param>
internal sealed record DeadLetter(ConsumedRecord Record, string Error, string Reason, int Attempts);
