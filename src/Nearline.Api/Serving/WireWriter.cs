using System.Buffers.Binary;

namespace Nearline.Api.Serving;

/// <summary>Writes protobuf's wire format into memory that is large enough.</summary>
internal ref struct WireWriter(Span<byte> bytes)
{
    /// <summary>The most bytes that a varint takes.</summary>
    public const int MaxVarint = 10;

    private readonly Span<byte> _bytes = bytes;

    /// <summary>How many bytes are written.</summary>
    public int Position { get; private set; }

    /// <summary>The number of bytes of a varint.</summary>
    public static int VarintSize(ulong value)
    {
        var size = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            size++;
        }

        return size;
    }

    public void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[Position++] = (byte)value;
    }

    /// <summary>A number; 0 is left out, as proto3 has it.</summary>
    public void WriteNumber(int field, ulong value)
    {
        if (value != 0)
        {
            WriteVarint((uint)(field << 3 | WireReader.Varint));
            WriteVarint(value);
        }
    }

    /// <summary>Text or a message; empty is left out.</summary>
    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            WriteHead(field, value.Length);
            value.CopyTo(_bytes[Position..]);
            Position += value.Length;
        }
    }

    /// <summary>What comes before a message of a known length, also of an empty one.</summary>
    public void WriteHead(int field, int length)
    {
        WriteVarint((uint)(field << 3 | WireReader.Bytes));
        WriteVarint((uint)length);
    }

    /// <summary>Text; empty is left out.</summary>
    public void WriteText(int field, string value)
    {
        if (value.Length > 0)
        {
            WriteHead(field, System.Text.Encoding.UTF8.GetByteCount(value));
            Position += System.Text.Encoding.UTF8.GetBytes(value, _bytes[Position..]);
        }
    }

    /// <summary>
    /// A <see cref="Contracts.Candidates.V1.Candidate"/> in field 1. Scores of 0 are left out.
    /// </summary>
    public void WriteCandidate(ReadOnlySpan<byte> id, float score, float idScore, float cgScore)
    {
        // Most ids are short, and then all lengths are one byte and all places are known.
        if (id.Length is 0 or > MaxShortId)
        {
            WriteLongCandidate(id, score, idScore, cgScore);
            return;
        }

        var room = _bytes.Slice(Position, ShortCandidate);
        room[0] = 1 << 3 | WireReader.Bytes;
        room[2] = 1 << 3 | WireReader.Bytes;
        room[3] = (byte)id.Length;
        id.CopyTo(room[4..]);
        var at = 4 + id.Length;
        at = WriteScore(room, at, 2, score);
        at = WriteScore(room, at, 3, idScore);
        at = WriteScore(room, at, 4, cgScore);
        room[1] = (byte)(at - 2);
        Position += at;
    }

    private const int MaxShortId = 100;
    private const int ShortCandidate = 4 + MaxShortId + (3 * ScoreSize);
    private const int ScoreSize = 1 + sizeof(float);

    /// <summary>What a candidate needs at most beyond its id, with room for the next one's fixed places.</summary>
    public const int CandidateOverhead = 12 + (3 * ScoreSize);

    /// <summary>Room that must be left at the end, whatever is written there.</summary>
    public const int Slack = ShortCandidate;

    private static int WriteScore(Span<byte> room, int at, int field, float value)
    {
        if (BitConverter.SingleToUInt32Bits(value) == 0)
        {
            return at;
        }

        room[at] = (byte)(field << 3 | WireReader.Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(room[(at + 1)..], value);
        return at + ScoreSize;
    }

    private void WriteLongCandidate(ReadOnlySpan<byte> id, float score, float idScore, float cgScore)
    {
        var size = id.IsEmpty ? 0 : 1 + VarintSize((uint)id.Length) + id.Length;
        foreach (var value in (ReadOnlySpan<float>)[score, idScore, cgScore])
        {
            size += BitConverter.SingleToUInt32Bits(value) == 0 ? 0 : ScoreSize;
        }

        WriteHead(1, size);
        WriteBytes(1, id);
        var rest = _bytes[Position..];
        Position += WriteScore(rest, WriteScore(rest, WriteScore(rest, 0, 2, score), 3, idScore), 4, cgScore);
    }
}
