using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>A record as it was consumed.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Key">Its key; null when it has none.</param>
/// <param name="Value">Its value; null for a tombstone.</param>
/// <param name="Headers">Its headers; null when it has none.</param>
/// <param name="Timestamp">When the producer or broker stamped it; null when neither did, or not with a time.</param>
/// <param name="ConsumedAt">When the worker received it.</param>
internal sealed record ConsumedRecord(
    string Topic,
    int Partition,
    long Offset,
    byte[]? Key,
    byte[]? Value,
    Headers? Headers,
    DateTimeOffset? Timestamp,
    DateTimeOffset ConsumedAt)
{
    /// <summary><c>topic/partition/offset</c>.</summary>
    public string Origin => $"{Topic}/{Partition}/{Offset}";

    /// <summary>The latest header of this name as text; null when there is none.</summary>
    public string? Header(string name) =>
        Headers is not null && Headers.TryGetLastBytes(name, out var bytes) && bytes is not null
            ? System.Text.Encoding.UTF8.GetString(bytes)
            : null;

    public static ConsumedRecord From(ConsumeResult<byte[]?, byte[]?> result, DateTimeOffset consumedAt) => new(
        result.Topic,
        result.Partition.Value,
        result.Offset.Value,
        result.Message.Key,
        result.Message.Value,
        result.Message.Headers,
        TimeOf(result.Message.Timestamp),
        consumedAt);

    /// <summary>
    /// Null also when the number is no time: brokers take any, and a producer that counts microseconds is some tens of
    /// thousands of years ahead.
    /// </summary>
    private static DateTimeOffset? TimeOf(Timestamp timestamp) =>
        timestamp.Type != TimestampType.NotAvailable &&
        timestamp.UnixTimestampMs >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() &&
        timestamp.UnixTimestampMs <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(timestamp.UnixTimestampMs)
            : null;

    /// <summary>What the record takes in memory, about.</summary>
    public long Bytes => (Key?.Length ?? 0) + (Value?.Length ?? 0) + (Headers?.Sum(h => (long)(h.GetValueBytes()?.Length ?? 0)) ?? 0);
}
