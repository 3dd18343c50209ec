using System.Buffers;

namespace Grpc.Net.Protocol;

/// <summary>A growing buffer from the shared array pool, which it goes back to on disposal.</summary>
internal sealed class PooledBufferWriter : IBufferWriter<byte>, IDisposable
{
    private const int MinimumSize = 256;
    private byte[] buffer;
    private int written;

    public PooledBufferWriter(int capacity = MinimumSize) =>
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, MinimumSize));

    public int WrittenCount => written;

    public Memory<byte> WrittenMemory => buffer.AsMemory(0, written);

    public Span<byte> WrittenSpan => buffer.AsSpan(0, written);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, buffer.Length - written);
        written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return buffer.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return buffer.AsSpan(written);
    }

    public void Clear() => written = 0;

    public void Dispose()
    {
        var rented = buffer;
        buffer = [];
        written = 0;
        if (rented.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Ensure(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 1);
        if (buffer.Length - written >= needed)
        {
            return;
        }

        var size = Math.Max((long)buffer.Length * 2, (long)written + needed);
        var larger = ArrayPool<byte>.Shared.Rent(checked((int)Math.Min(size, Math.Max(Array.MaxLength, (long)written + needed))));
        buffer.AsSpan(0, written).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
    }
}
