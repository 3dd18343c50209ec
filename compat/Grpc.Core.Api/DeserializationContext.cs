using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller reads one message from. The sequence is valid only during the call.</summary>
public abstract class DeserializationContext
{
    /// <summary>Bytes.</summary>
    public abstract int PayloadLength { get; }

    public virtual byte[] PayloadAsNewBuffer() => throw new NotImplementedException();

    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotImplementedException();
}
