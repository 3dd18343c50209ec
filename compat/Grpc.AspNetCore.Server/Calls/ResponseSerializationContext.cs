using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Protocol;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>
/// Takes a response message from its marshaller. Where the size is announced and nothing is compressed, the
/// marshaller writes straight into the response's pipe; else into a pooled buffer first.
/// </summary>
internal sealed class ResponseSerializationContext(HttpContextServerCallContext call, PipeWriter output) : SerializationContext
{
    private readonly HttpContextServerCallContext call = call;
    private PooledBufferWriter? buffer;
    private int? announced;
    private bool compress;
    private State state;

    private enum State
    {
        Initial,
        Direct,
        Buffered,
        Complete,
    }

    public void Serialize<T>(T message, Action<T, SerializationContext> serializer)
    {
        state = State.Initial;
        announced = null;
        compress = call.CompressesResponse;
        try
        {
            serializer(message, this);
            if (state != State.Complete)
            {
                throw new InvalidOperationException("The marshaller did not complete the serialization of its message.");
            }
        }
        finally
        {
            buffer?.Dispose();
            buffer = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        if (state != State.Initial)
        {
            throw NotIn(State.Initial);
        }

        CheckSize(payloadLength);
        announced = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        switch (state)
        {
            case State.Initial when announced is { } length && !compress:
                MessageHeader.Write(output, compressed: false, length);
                state = State.Direct;
                return output;
            case State.Initial:
                buffer = new PooledBufferWriter(announced ?? 0);
                state = State.Buffered;
                return buffer;
            case State.Direct:
                return output;
            case State.Buffered:
                return buffer!;
            default:
                throw NotIn(State.Initial);
        }
    }

    public override void Complete(byte[] payload)
    {
        if (state != State.Initial)
        {
            throw NotIn(State.Initial);
        }

        Write(payload);
        state = State.Complete;
    }

    public override void Complete()
    {
        switch (state)
        {
            case State.Direct:
                break;
            case State.Buffered:
                Write(buffer!.WrittenSpan);
                break;
            default:
                throw NotIn(State.Buffered);
        }

        state = State.Complete;
    }

    private void Write(ReadOnlySpan<byte> payload)
    {
        CheckSize(payload.Length);
        if (!compress || payload.IsEmpty)
        {
            MessageHeader.Write(output, compressed: false, payload.Length);
            output.Write(payload);
            return;
        }

        using var compressed = new PooledBufferWriter(payload.Length / 2);
        MessageCompression.Compress(call.ResponseCompression!, call.Options.ResponseCompressionLevel, payload, compressed);
        MessageHeader.Write(output, compressed: true, compressed.WrittenCount);
        output.Write(compressed.WrittenSpan);
    }

    private void CheckSize(int length)
    {
        if (length > call.Options.MaxSendMessageSize)
        {
            throw new RpcException(MessageErrors.SendingTooLarge);
        }
    }

    private InvalidOperationException NotIn(State expected) =>
        new($"Invalid state of the serialization context: {state}, where {expected} was expected.");
}
