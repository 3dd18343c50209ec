using System.Buffers;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Net.Protocol;

namespace Grpc.Net.Client.Calls;

/// <summary>Turns a request into the bytes to send, header included, in one pooled buffer.</summary>
internal sealed class RequestSerializationContext(int? maxSize) : SerializationContext
{
    private PooledBufferWriter? output;
    private int? announced;
    private bool complete;

    /// <summary>The caller disposes the buffer.</summary>
    /// <param name="compression">Null for none.</param>
    public PooledBufferWriter Serialize<T>(T message, Action<T, SerializationContext> serializer, ICompressionProvider? compression)
    {
        output = null;
        announced = null;
        complete = false;
        try
        {
            serializer(message, this);
            if (!complete)
            {
                throw new InvalidOperationException("The marshaller did not complete the serialization of its message.");
            }

            var plain = output!;
            var length = plain.WrittenCount - MessageHeader.Size;
            CheckSize(length);
            if (compression is null || length == 0)
            {
                MessageHeader.Write(plain.WrittenSpan, compressed: false, length);
                output = null;
                return plain;
            }

            var compressed = new PooledBufferWriter(length / 2);
            try
            {
                compressed.Advance(MessageHeader.Size);
                MessageCompression.Compress(compression, null, plain.WrittenSpan[MessageHeader.Size..], compressed);
                MessageHeader.Write(compressed.WrittenSpan, compressed: true, compressed.WrittenCount - MessageHeader.Size);
                return compressed;
            }
            catch
            {
                compressed.Dispose();
                throw;
            }
        }
        finally
        {
            output?.Dispose();
            output = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        CheckSize(payloadLength);
        announced = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter() =>
        complete ? throw new InvalidOperationException("The message is already complete.") : output ??= CreateBuffer(announced ?? 0);

    public override void Complete(byte[] payload)
    {
        if (output is not null)
        {
            throw new InvalidOperationException("Either a buffer writer or an array completes a message, not both.");
        }

        CheckSize(payload.Length);
        output = CreateBuffer(payload.Length);
        output.Write(payload);
        complete = true;
    }

    public override void Complete()
    {
        if (output is null || complete)
        {
            throw new InvalidOperationException("There is no buffer writer, or the message is already complete.");
        }

        complete = true;
    }

    private static PooledBufferWriter CreateBuffer(int length)
    {
        var buffer = new PooledBufferWriter(length + MessageHeader.Size);
        buffer.Advance(MessageHeader.Size);
        return buffer;
    }

    private void CheckSize(int length)
    {
        if (length > maxSize)
        {
            throw new RpcException(MessageErrors.SendingTooLarge);
        }
    }
}
