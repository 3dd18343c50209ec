using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Nearline.Api.Security;

/// <summary>
/// Tells a refused caller when to come back, in both ways that clients know: gRPC's own trailer, which retry policies
/// obey (gRFC A6), and google.rpc.RetryInfo in the status details.
/// </summary>
internal static class RetryHint
{
    public const string PushbackTrailer = "grpc-retry-pushback-ms";
    public const string DetailsTrailer = "grpc-status-details-bin";
    private const string RetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";
    private const int OverloadMs = 100;

    /// <summary>After overload: around 100 ms, by chance, so that those refused together do not come back together.</summary>
    public static TimeSpan AfterOverload() =>
        TimeSpan.FromMilliseconds(Random.Shared.Next(OverloadMs / 2, (OverloadMs * 3 / 2) + 1));

    /// <summary>The trailers of a refusal.</summary>
    public static Metadata Trailers(Status status, TimeSpan after) => new()
    {
        { PushbackTrailer, Milliseconds(after) },
        { DetailsTrailer, Details(status, after) },
    };

    /// <summary>Whole milliseconds, rounded up: a caller who comes too early is refused again.</summary>
    public static string Milliseconds(TimeSpan after) =>
        ((long)Math.Ceiling(after.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>A google.rpc.Status: code = 1, message = 2, details = 3, which is RetryInfo: retry_delay = 1.</summary>
    public static byte[] Details(Status status, TimeSpan after)
    {
        var delay = Message(WireFormat.MakeTag(1, WireFormat.WireType.LengthDelimited), Duration.FromTimeSpan(after).ToByteArray());
        var info = new Any { TypeUrl = RetryInfoType, Value = ByteString.CopyFrom(delay) }.ToByteArray();
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.Varint);
            output.WriteInt32((int)status.StatusCode);
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteString(status.Detail);
            output.WriteTag(3, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(info));
        }

        return bytes.ToArray();
    }

    private static byte[] Message(uint tag, byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(tag);
            output.WriteBytes(ByteString.CopyFrom(content));
        }

        return bytes.ToArray();
    }
}
