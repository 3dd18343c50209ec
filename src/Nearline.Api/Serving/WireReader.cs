namespace Nearline.Api.Serving;

/// <summary>Walks over protobuf's wire format without copying. All methods are false at malformed input.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The offset of the next byte.</summary>
    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _bytes.Length;

    public bool TryReadTag(out int field, out int type)
    {
        var read = TryReadVarint(out var tag);
        field = (int)(tag >> 3);
        type = (int)(tag & 7);
        return read && field > 0 && tag <= uint.MaxValue;
    }

    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70 && Position < _bytes.Length; shift += 7)
        {
            var next = _bytes[Position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        if (!TryReadVarint(out var length) || length > (ulong)(_bytes.Length - Position))
        {
            value = default;
            return false;
        }

        value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }

    /// <summary>Passes over fields with this tag of one byte and a length of one byte; how many there were.</summary>
    public int SkipShort(byte tag)
    {
        var (position, count) = (Position, 0);
        while (position + 1 < _bytes.Length && _bytes[position] == tag && _bytes[position + 1] < 0x80
            && position + 2 + _bytes[position + 1] <= _bytes.Length)
        {
            position += 2 + _bytes[position + 1];
            count++;
        }

        Position = position;
        return count;
    }

    public bool TrySkip(int type) => type switch
    {
        Varint => TryReadVarint(out _),
        Fixed64 => TryAdvance(8),
        Bytes => TryReadBytes(out _),
        Fixed32 => TryAdvance(4),
        _ => false,
    };

    private bool TryAdvance(int count)
    {
        if (_bytes.Length - Position < count)
        {
            return false;
        }

        Position += count;
        return true;
    }
}
