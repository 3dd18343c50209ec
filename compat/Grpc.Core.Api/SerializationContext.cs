using System.Buffers;

namespace Grpc.Core;

/// <summary>
/// Where a marshaller writes one message: either all at once by <see cref="Complete(byte[])"/>, or through
/// <see cref="GetBufferWriter"/> followed by <see cref="Complete()"/>.
/// </summary>
public abstract class SerializationContext
{
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Announces the size in bytes, so that no buffer has to grow. Call it before the first write.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    public virtual void Complete() => throw new NotImplementedException();
}
