using System.Buffers;
using Grpc.Core;

namespace Grpc.Net.Protocol;

/// <summary>Hands received bytes to a marshaller without copying them; used again for each message of a call.</summary>
internal sealed class PayloadContext : DeserializationContext
{
    private ReadOnlySequence<byte>? payload;

    public override int PayloadLength => (int)Payload.Length;

    private ReadOnlySequence<byte> Payload =>
        payload ?? throw new InvalidOperationException("The payload is only there while the message is deserialized.");

    public override byte[] PayloadAsNewBuffer() => Payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Payload;

    public T Deserialize<T>(ReadOnlySequence<byte> bytes, Func<DeserializationContext, T> deserializer)
    {
        payload = bytes;
        try
        {
            return deserializer(this);
        }
        finally
        {
            payload = null;
        }
    }
}
