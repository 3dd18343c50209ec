using System.Buffers;

namespace Grpc.Core;

/// <summary>Collects a message in an array, for callers of the array delegates of a contextual marshaller.</summary>
internal sealed class ArraySerializationContext : SerializationContext
{
    private ArrayBufferWriter<byte>? writer;
    private byte[]? payload;
    private int expected;

    public byte[] Payload => payload ?? throw new InvalidOperationException("The marshaller did not complete its context.");

    public override void SetPayloadLength(int payloadLength) => expected = payloadLength;

    public override IBufferWriter<byte> GetBufferWriter() =>
        writer ??= expected > 0 ? new ArrayBufferWriter<byte>(expected) : new ArrayBufferWriter<byte>();

    public override void Complete(byte[] payload) => this.payload = payload;

    public override void Complete() => payload = writer is null ? [] : writer.WrittenSpan.ToArray();
}

/// <summary>Hands an array to a contextual marshaller.</summary>
internal sealed class ArrayDeserializationContext(byte[] payload) : DeserializationContext
{
    public override int PayloadLength => payload.Length;

    public override byte[] PayloadAsNewBuffer() => (byte[])payload.Clone();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(payload);
}
