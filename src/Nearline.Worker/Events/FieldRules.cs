using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Events;

/// <summary>Rules of single fields; each throws <see cref="RejectedRecordException"/> naming field, value and rule.</summary>
internal static class FieldRules
{
    /// <summary>Longest id, in bytes of UTF-8.</summary>
    public const int MaxIdBytes = 256;

    private const int ShownCharacters = 64;
    private const int ShownProblem = 300;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A text fit for an error message: quoted, shortened.</summary>
    public static string Show(string value) =>
        value.Length <= ShownCharacters ? $"'{value}'" : $"'{value[..ShownCharacters]}...' ({value.Length} characters)";

    public static string UserId(string value, byte[]? key)
    {
        if (value.Length == 0)
        {
            throw new RejectedRecordException("user_id", "missing; every event names the user who acted");
        }

        if (value.AsSpan().IndexOfAny('{', '}') >= 0)
        {
            // Braces delimit the hash tag that keeps a user's keys in one slot of a Redis cluster.
            throw new RejectedRecordException("user_id", $"{Show(value)} has a brace; '{{' and '}}' are not allowed");
        }

        NotTooLong("user_id", value);
        if (key is { Length: > 0 } && !key.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(value)))
        {
            throw new RejectedRecordException(
                "user_id", $"{Show(value)} differs from the record key {Show(Encoding.UTF8.GetString(key))}; they must be equal, or the key empty");
        }

        return value;
    }

    public static string Required(string field, string value)
    {
        if (value.Length == 0)
        {
            throw new RejectedRecordException(field, "empty; the id of a show is needed");
        }

        return NotTooLong(field, value);
    }

    public static string NotTooLong(string field, string value)
    {
        // UTF-8 takes one to three bytes a UTF-16 unit, so most texts need no counting.
        if (value.Length * 3 > MaxIdBytes && Encoding.UTF8.GetByteCount(value) is var bytes and > MaxIdBytes)
        {
            throw new RejectedRecordException(field, $"{Show(value)} has {bytes} bytes; at most {MaxIdBytes} are allowed");
        }

        return value;
    }

    public static TimeSpan? NotNegative(string field, Duration? value)
    {
        if (value is null)
        {
            return null;
        }

        if (value.Seconds is < -Duration.MaxSeconds or > Duration.MaxSeconds ||
            value.Nanos is < -999_999_999 or > 999_999_999 ||
            Math.Sign(value.Seconds) * Math.Sign(value.Nanos) < 0)
        {
            throw new RejectedRecordException(
                field, $"{value.Seconds} s and {value.Nanos} ns are not a valid duration; nanos must be below a second and of the same sign");
        }

        return value.Seconds < 0 || value.Nanos < 0
            ? throw new RejectedRecordException(field, $"{value.Seconds + (value.Nanos / 1e9)} s; it must be zero or more")
            : value.ToTimeSpan();
    }

    public static DateTimeOffset Time(string field, Timestamp value)
    {
        const long Earliest = -62_135_596_800;
        const long Latest = 253_402_300_799;
        if (value.Seconds is < Earliest or > Latest || value.Nanos is < 0 or > 999_999_999)
        {
            throw new RejectedRecordException(
                field, $"{value.Seconds} s and {value.Nanos} ns since 1970 are not a time between the years 1 and 9999");
        }

        return value.ToDateTimeOffset();
    }

    /// <summary>Parses the value as a message, in protobuf or, by the content type, its JSON form.</summary>
    public static T Message<T>(ConsumedRecord record, MessageParser<T> parser)
        where T : IMessage<T>, new()
    {
        if (record.Value is not { } value)
        {
            throw new RejectedRecordException("value", $"missing; a {new T().Descriptor.Name} is needed");
        }

        var isJson = IsJson(record.Header(Contracts.KafkaHeaders.ContentType));
        try
        {
            return isJson ? JsonParser.Default.Parse<T>(StrictUtf8.GetString(value)) : parser.ParseFrom(value);
        }
        catch (Exception e) when (e is IOException or ArgumentException or FormatException or OverflowException or InvalidOperationException)
        {
            var form = isJson ? "JSON" : "protobuf";
            throw new RejectedRecordException(
                "value", $"these {value.Length} bytes are not a {new T().Descriptor.Name} in {form}: {Shorten(e.Message)}");
        }
    }

    /// <summary>The parser quotes what it does not know, which may be most of the record.</summary>
    private static string Shorten(string message) =>
        message.Length <= ShownProblem ? message : message[..ShownProblem] + "...";

    private static bool IsJson(string? contentType) =>
        contentType is not null &&
        contentType.TrimStart().StartsWith("application/json", StringComparison.OrdinalIgnoreCase);
}
