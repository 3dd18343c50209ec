using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;

namespace Nearline.Cli.DeadLetters;

/// <summary>A record of the dead-letter topic: the original key, value and headers, and why it could not be used.</summary>
/// <param name="Place"><c>partition/offset</c> in the dead-letter topic.</param>
/// <param name="Time">When it was sent there.</param>
/// <param name="Key">The original key; null: none.</param>
/// <param name="Value">The original value; null: none, or it was too large to be sent along.</param>
/// <param name="Headers">All headers, in their order.</param>
internal sealed record DeadRecord(
    string Place, DateTimeOffset Time, byte[]? Key, byte[]? Value, IReadOnlyList<KeyValuePair<string, byte[]>> Headers)
{
    private const string Ours = "nl-";

    /// <summary>Why, naming the field and the value.</summary>
    public string Error => Header(KafkaHeaders.Error) ?? "";

    /// <summary><c>topic/partition/offset</c> of the original.</summary>
    public string Origin => Header(KafkaHeaders.Origin) ?? "";

    /// <summary>How often the worker tried.</summary>
    public string Attempts => Header(KafkaHeaders.Attempts) ?? "";

    /// <summary>What the error begins with: the field that is wrong, or what failed.</summary>
    public string Field => Error.Split(':', 2)[0];

    /// <summary>The key as text.</summary>
    public string KeyText => Key is null ? "(none)" : Encoding.UTF8.GetString(Key);

    /// <summary>The original's topic; null where the header does not tell.</summary>
    public string? OriginTopic => Origin.Split('/') is { Length: 3 } parts && parts[0].Length > 0 ? parts[0] : null;

    /// <summary>The value for people: JSON of an event that can be read, else text, else bytes.</summary>
    public string ValueText()
    {
        if (Value is null)
        {
            return "(none)";
        }

        if (Header(KafkaHeaders.ContentType) is { } type && type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return Encoding.UTF8.GetString(Value);
        }

        try
        {
            return JsonFormatter.Default.Format(UserEvent.Parser.ParseFrom(Value));
        }
        catch (InvalidProtocolBufferException)
        {
            return $"{Value.Length} bytes: {Convert.ToHexStringLower(Value.AsSpan(0, Math.Min(Value.Length, 64)))}{(Value.Length > 64 ? "..." : "")}";
        }
    }

    /// <summary>
    /// The record as it was. An event without an id gets its origin as one, so that it counts once however often it is
    /// sent again.
    /// </summary>
    public Message<byte[]?, byte[]?> Original()
    {
        var headers = new Headers();
        foreach (var (name, value) in Headers.Where(h => !h.Key.StartsWith(Ours, StringComparison.Ordinal)))
        {
            headers.Add(name, value);
        }

        if (Header(KafkaHeaders.CeId) is null)
        {
            headers.Add(KafkaHeaders.CeId, Encoding.UTF8.GetBytes(Origin));
        }

        return new Message<byte[]?, byte[]?> { Key = Key, Value = Value, Headers = headers };
    }

    /// <summary>A header's text; null: it is missing. The last one counts: a record may come back more than once.</summary>
    public string? Header(string name) =>
        Headers.LastOrDefault(h => string.Equals(h.Key, name, StringComparison.Ordinal)).Value is { } value ? Encoding.UTF8.GetString(value) : null;

    internal static DeadRecord Of(ConsumeResult<byte[]?, byte[]?> result) => new(
        string.Create(CultureInfo.InvariantCulture, $"{result.Partition.Value}/{result.Offset.Value}"),
        new DateTimeOffset(result.Message.Timestamp.UtcDateTime),
        result.Message.Key,
        result.Message.Value,
        [.. (result.Message.Headers ?? []).Select(h => KeyValuePair.Create(h.Key, h.GetValueBytes() ?? []))]);
}
