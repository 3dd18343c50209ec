using System.Buffers;
using System.Buffers.Binary;

namespace Grpc.Net.Protocol;

/// <summary>The five bytes before each message: a compressed flag and a big-endian length.</summary>
internal readonly struct MessageHeader
{
    public const int Size = 5;

    private MessageHeader(byte flag, uint length)
    {
        Flag = flag;
        Length = length;
    }

    /// <summary>0 or 1; anything else is an error of the peer.</summary>
    public byte Flag { get; }

    public uint Length { get; }

    public static bool TryRead(ReadOnlySequence<byte> buffer, out MessageHeader header)
    {
        if (buffer.Length < Size)
        {
            header = default;
            return false;
        }

        Span<byte> bytes = stackalloc byte[Size];
        buffer.Slice(0, Size).CopyTo(bytes);
        header = Read(bytes);
        return true;
    }

    public static MessageHeader Read(ReadOnlySpan<byte> bytes) => new(bytes[0], BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]));

    public static void Write(Span<byte> destination, bool compressed, int length)
    {
        destination[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
    }

    public static void Write(IBufferWriter<byte> output, bool compressed, int length)
    {
        Write(output.GetSpan(Size), compressed, length);
        output.Advance(Size);
    }
}
