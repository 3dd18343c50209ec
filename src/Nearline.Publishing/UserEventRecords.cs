using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;

namespace Nearline.Publishing;

/// <summary>User events as records: key = user_id, value in protobuf, CloudEvents headers in binary mode.</summary>
public static class UserEventRecords
{
    /// <summary>The record of an event.</summary>
    /// <param name="message">The event.</param>
    /// <param name="source">The CloudEvents source of an event that does not name its own.</param>
    public static Message<string, byte[]> Of(UserEvent message, string source)
    {
        ArgumentNullException.ThrowIfNull(message);
        var headers = new Headers
        {
            { "ce_specversion", "1.0"u8.ToArray() },
            { KafkaHeaders.CeType, Encoding.UTF8.GetBytes($"nearline.user-event.{message.ActionCase}".ToLowerInvariant()) },
            { KafkaHeaders.CeSource, Encoding.UTF8.GetBytes(message.Source.Length > 0 ? message.Source : source) },
            { KafkaHeaders.ContentType, "application/protobuf"u8.ToArray() },
        };
        if (message.EventId.Length > 0)
        {
            headers.Add(KafkaHeaders.CeId, Encoding.UTF8.GetBytes(message.EventId));
        }

        if (message.EventTime is { } time)
        {
            headers.Add(
                KafkaHeaders.CeTime,
                Encoding.UTF8.GetBytes(time.ToDateTimeOffset().ToString("O", CultureInfo.InvariantCulture)));
        }

        return new Message<string, byte[]> { Key = message.UserId, Value = message.ToByteArray(), Headers = headers };
    }
}
