namespace Nearline.Contracts;

/// <summary>Record header names: CloudEvents binary mode, W3C trace context, and Nearline's own on dead letters.</summary>
public static class KafkaHeaders
{
    /// <summary>The value's media type; <c>application/json</c> means protobuf's JSON form, anything else protobuf.</summary>
    public const string ContentType = "content-type";

    /// <summary>CloudEvents: identifies the event within its source.</summary>
    public const string CeId = "ce_id";

    /// <summary>CloudEvents: where the event comes from.</summary>
    public const string CeSource = "ce_source";

    /// <summary>CloudEvents: the kind of event; informative.</summary>
    public const string CeType = "ce_type";

    /// <summary>CloudEvents: when it happened, RFC 3339.</summary>
    public const string CeTime = "ce_time";

    /// <summary>W3C trace context.</summary>
    public const string TraceParent = "traceparent";

    /// <summary>On a dead letter: why, naming the field and the value.</summary>
    public const string Error = "nl-error";

    /// <summary>On a dead letter: <c>topic/partition/offset</c> of the original record.</summary>
    public const string Origin = "nl-origin";

    /// <summary>On a dead letter: how often the record was tried.</summary>
    public const string Attempts = "nl-attempts";
}
