using System.Buffers.Binary;
using Google.Protobuf;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// The sorted hashes of a stored <see cref="WatchedShows"/>, searched where they lie: the packed field is the
/// little-endian numbers themselves.
/// </summary>
internal readonly ref struct WatchedHashes
{
    private readonly ReadOnlySpan<byte> _hashes;

    private WatchedHashes(ReadOnlySpan<byte> hashes) => _hashes = hashes;

    public int Count => _hashes.Length / sizeof(ulong);

    public ulong this[int index] => BinaryPrimitives.ReadUInt64LittleEndian(_hashes[(index * sizeof(ulong))..]);

    /// <summary>Decodes a stored value; null: nothing watched.</summary>
    /// <exception cref="InvalidDataException">It is not a <see cref="WatchedShows"/>, or newer than this version.</exception>
    public static WatchedHashes Read(byte[]? stored)
    {
        if (stored is null)
        {
            return default;
        }

        if (TryScan(stored, out var hashes))
        {
            return hashes;
        }

        // Legal, but not as our writer lays it out: let protobuf's own reader put it in order.
        try
        {
            return TryScan(WatchedShows.Parser.ParseFrom(stored).ToByteArray(), out hashes)
                ? hashes
                : throw new InvalidDataException("it has fields that WatchedShows does not have");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    public bool Contains(ulong hash)
    {
        var (low, high) = (0, Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var value = BinaryPrimitives.ReadUInt64LittleEndian(_hashes[(middle * sizeof(ulong))..]);
            if (value == hash)
            {
                return true;
            }

            if (value < hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return false;
    }

    private static bool TryScan(ReadOnlySpan<byte> stored, out WatchedHashes hashes)
    {
        var reader = new WireReader(stored);
        ReadOnlySpan<byte> packed = default;
        hashes = default;
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var field, out var type))
            {
                return false;
            }

            if (field == WatchedShows.HashesFieldNumber)
            {
                if (type != WireReader.Bytes || !packed.IsEmpty || !reader.TryReadBytes(out packed))
                {
                    return false;
                }
            }
            else if (field == WatchedShows.SchemaFieldNumber && type == WireReader.Varint)
            {
                if (!reader.TryReadVarint(out var schema))
                {
                    return false;
                }

                StoredSet.Refuse(schema);
            }
            else if (!reader.TrySkip(type))
            {
                return false;
            }
        }

        hashes = new WatchedHashes(packed);
        return packed.Length % sizeof(ulong) == 0;
    }
}
