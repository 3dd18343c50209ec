using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// A stored <see cref="RetrievalSet"/>, read where it lies: only the shows that go into an answer become objects.
/// Enumerates its shows, best first.
/// </summary>
internal readonly ref struct StoredSet
{
    private readonly ReadOnlySpan<byte> _ids;
    private readonly ReadOnlySpan<byte> _scores;
    private readonly ReadOnlySpan<byte> _idScores;
    private readonly ReadOnlySpan<byte> _categories;
    private readonly ReadOnlySpan<byte> _modelVersion;
    private readonly ReadOnlySpan<byte> _generatedAt;
    private readonly ReadOnlySpan<byte> _triggerEventId;
    private readonly ReadOnlySpan<byte> _triggerEventTime;

    private StoredSet(Fields fields)
    {
        _ids = fields.Ids;
        _scores = fields.Scores;
        _idScores = fields.IdScores;
        _categories = fields.Categories;
        _modelVersion = fields.ModelVersion;
        _generatedAt = fields.GeneratedAt;
        _triggerEventId = fields.TriggerEventId;
        _triggerEventTime = fields.TriggerEventTime;
        Count = fields.Count;
    }

    /// <summary>How many shows there are.</summary>
    public int Count { get; }

    /// <summary>Decodes a stored value.</summary>
    /// <exception cref="InvalidDataException">
    /// It is not a <see cref="RetrievalSet"/>, newer than this version, or its columns differ in length; the message tells.
    /// </exception>
    public static StoredSet Read(byte[] stored)
    {
        if (!TryScan(stored, out var fields))
        {
            // Legal protobuf need not have our writer's order: let protobuf's own reader put it in order.
            try
            {
                if (!TryScan(RetrievalSet.Parser.ParseFrom(stored).ToByteArray(), out fields))
                {
                    throw new InvalidDataException("it has fields that RetrievalSet does not have");
                }
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new InvalidDataException(e.Message, e);
            }
        }

        Check("scores", fields.Scores.Length, sizeof(float), fields.Count, optional: false);
        Check("id_scores", fields.IdScores.Length, sizeof(float), fields.Count, optional: true);
        Check("categories", fields.Categories.Length, sizeof(byte), fields.Count, optional: true);
        return new StoredSet(fields);

        static void Check(string column, int length, int size, int count, bool optional)
        {
            if (length != count * size && !(optional && length == 0))
            {
                throw new InvalidDataException(string.Create(
                    CultureInfo.InvariantCulture, $"it has {count} show_ids but {(double)length / size} {column}"));
            }
        }
    }

    public string ReadModelVersion() => Encoding.UTF8.GetString(_modelVersion);

    public string ReadTriggerEventId() => Encoding.UTF8.GetString(_triggerEventId);

    public Timestamp? ReadGeneratedAt() => ReadTime(_generatedAt);

    public Timestamp? ReadTriggerEventTime() => ReadTime(_triggerEventTime);

    public Enumerator GetEnumerator() => new(this);

    /// <exception cref="InvalidDataException">A value with this schema is newer than this version.</exception>
    internal static void Refuse(ulong schema)
    {
        var number = (uint)Math.Min(schema, uint.MaxValue);
        if (!StorageSchema.IsReadable(number))
        {
            throw new InvalidDataException(StorageSchema.Refusal(number));
        }
    }

    private static Timestamp? ReadTime(ReadOnlySpan<byte> message)
    {
        try
        {
            return message.IsEmpty ? null : Timestamp.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            // A set is worth serving without its time; it counts as old.
            return null;
        }
    }

    // True when each field is there at most once and in one piece, as our writer and every usual one lay it out.
    private static bool TryScan(ReadOnlySpan<byte> stored, out Fields fields)
    {
        fields = default;
        var reader = new WireReader(stored);
        var seen = 0;
        var last = 0;
        var idsFrom = 0;
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var field, out var type))
            {
                return false;
            }

            if (field == RetrievalSet.SchemaFieldNumber && type == WireReader.Varint)
            {
                if (!reader.TryReadVarint(out var schema))
                {
                    return false;
                }

                Refuse(schema);
                last = field;
                continue;
            }

            if (field > RetrievalSet.CategoriesFieldNumber)
            {
                if (!reader.TrySkip(type))
                {
                    return false;
                }

                last = field;
                continue;
            }

            var repeats = (seen & 1 << field) != 0;
            if (type != WireReader.Bytes || !reader.TryReadBytes(out var value)
                || (repeats && (field != RetrievalSet.ShowIdsFieldNumber || last != field)))
            {
                return false;
            }

            seen |= 1 << field;
            last = field;
            switch (field)
            {
                case RetrievalSet.ModelVersionFieldNumber:
                    fields.ModelVersion = value;
                    break;
                case RetrievalSet.GeneratedAtFieldNumber:
                    fields.GeneratedAt = value;
                    break;
                case RetrievalSet.TriggerEventIdFieldNumber:
                    fields.TriggerEventId = value;
                    break;
                case RetrievalSet.TriggerEventTimeFieldNumber:
                    fields.TriggerEventTime = value;
                    break;
                case RetrievalSet.ShowIdsFieldNumber:
                    idsFrom = repeats ? idsFrom : start;
                    fields.Ids = stored[idsFrom..reader.Position];
                    fields.Count++;
                    break;
                case RetrievalSet.ScoresFieldNumber:
                    fields.Scores = value;
                    break;
                case RetrievalSet.IdScoresFieldNumber:
                    fields.IdScores = value;
                    break;
                default:
                    fields.Categories = value;
                    break;
            }
        }

        return true;
    }

    private ref struct Fields
    {
        public ReadOnlySpan<byte> Ids;
        public ReadOnlySpan<byte> Scores;
        public ReadOnlySpan<byte> IdScores;
        public ReadOnlySpan<byte> Categories;
        public ReadOnlySpan<byte> ModelVersion;
        public ReadOnlySpan<byte> GeneratedAt;
        public ReadOnlySpan<byte> TriggerEventId;
        public ReadOnlySpan<byte> TriggerEventTime;
        public int Count;
    }

    /// <summary>One show of the set.</summary>
    internal readonly ref struct Entry(int index, ReadOnlySpan<byte> id, float score, float? idScore, byte category)
    {
        /// <summary>Its place, from 0.</summary>
        public int Index { get; } = index;

        /// <summary>Its id, UTF-8.</summary>
        public ReadOnlySpan<byte> Id { get; } = id;

        /// <summary>The hybrid score, or popularity in a fallback list.</summary>
        public float Score { get; } = score;

        /// <summary>The ID channel's part; null in a fallback list.</summary>
        public float? IdScore { get; } = idScore;

        /// <summary>The number of its category; 0 when unknown.</summary>
        public byte Category { get; } = category;

        public string ReadId() => Encoding.UTF8.GetString(Id);
    }

    /// <summary>Goes over the shows.</summary>
    internal ref struct Enumerator(StoredSet set)
    {
        private readonly StoredSet _set = set;
        private WireReader _ids = new(set._ids);
        private ReadOnlySpan<byte> _id;
        private int _index = -1;

        public readonly Entry Current => new(
            _index,
            _id,
            BinaryPrimitives.ReadSingleLittleEndian(_set._scores[(_index * sizeof(float))..]),
            _set._idScores.IsEmpty ? null : BinaryPrimitives.ReadSingleLittleEndian(_set._idScores[(_index * sizeof(float))..]),
            _set._categories.IsEmpty ? (byte)0 : _set._categories[_index]);

        public bool MoveNext()
        {
            _index++;
            return !_ids.AtEnd && _ids.TryReadTag(out _, out _) && _ids.TryReadBytes(out _id);
        }
    }
}
