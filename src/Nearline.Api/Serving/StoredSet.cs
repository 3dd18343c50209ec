using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
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
    // From year 1 to 9999, as google.protobuf.Timestamp allows.
    private const long LeastSeconds = -62_135_596_800;
    private const long MostSeconds = 253_402_300_799;

    private StoredSet(Fields fields)
    {
        Ids = fields.Ids;
        Scores = fields.Scores;
        IdScores = fields.IdScores;
        Categories = fields.Categories;
        ModelVersion = fields.ModelVersion;
        GeneratedAt = fields.GeneratedAt;
        TriggerEventId = fields.TriggerEventId;
        TriggerEventTime = fields.TriggerEventTime;
        Count = fields.Count;
    }

    /// <summary>The run of all show_ids fields, with tags and lengths.</summary>
    public ReadOnlySpan<byte> Ids { get; }

    /// <summary>UTF-8.</summary>
    public ReadOnlySpan<byte> ModelVersion { get; }

    /// <summary>A Timestamp message, perhaps one that cannot be decoded; empty: none.</summary>
    public ReadOnlySpan<byte> GeneratedAt { get; }

    /// <summary>UTF-8.</summary>
    public ReadOnlySpan<byte> TriggerEventId { get; }

    /// <summary>As <see cref="GeneratedAt"/>.</summary>
    public ReadOnlySpan<byte> TriggerEventTime { get; }

    private ReadOnlySpan<byte> Scores { get; }

    private ReadOnlySpan<byte> IdScores { get; }

    private ReadOnlySpan<byte> Categories { get; }

    /// <summary>How many shows there are.</summary>
    public int Count { get; }

    /// <summary>The same set in bytes that <see cref="Read"/> need not put in order first.</summary>
    /// <exception cref="InvalidDataException">It is not a <see cref="RetrievalSet"/>.</exception>
    public static byte[] Normalize(byte[] stored) => TryScan(stored, out _) ? stored : Reorder(stored);

    /// <summary>Decodes a stored value.</summary>
    /// <exception cref="InvalidDataException">
    /// It is not a <see cref="RetrievalSet"/>, newer than this version, or its columns differ in length; the message tells.
    /// </exception>
    public static StoredSet Read(byte[] stored)
    {
        if (!TryScan(stored, out var fields) && !TryScan(Reorder(stored), out fields))
        {
            throw new InvalidDataException("it has fields that RetrievalSet does not have");
        }

        Check("scores", fields.Scores.Length, sizeof(float), fields.Count, optional: false);
        Check("id_scores", fields.IdScores.Length, sizeof(float), fields.Count, optional: true);
        Check("categories", fields.Categories.Length, sizeof(byte), fields.Count, optional: true);
        CheckText(fields);
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

    public string ReadModelVersion() => Encoding.UTF8.GetString(ModelVersion);

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

    /// <summary>When the set was made; null when it does not tell, or not so that it can be understood: it counts as old then.</summary>
    public DateTimeOffset? ReadGeneratedAt() =>
        TryReadTime(GeneratedAt, out var seconds, out var nanos)
            ? new DateTimeOffset(DateTime.UnixEpoch.Ticks + (seconds * TimeSpan.TicksPerSecond) + (nanos / TimeSpan.NanosecondsPerTick), TimeSpan.Zero)
            : null;

    /// <summary>Reads a Timestamp message; false when there is none or it is not a valid one.</summary>
    public static bool TryReadTime(ReadOnlySpan<byte> message, out long seconds, out int nanos)
    {
        (seconds, nanos) = (0, 0);
        var reader = new WireReader(message);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var field, out var type))
            {
                return false;
            }

            var number = 0UL;
            if (field is Timestamp.SecondsFieldNumber or Timestamp.NanosFieldNumber
                ? type != WireReader.Varint || !reader.TryReadVarint(out number)
                : !reader.TrySkip(type))
            {
                return false;
            }

            if (field == Timestamp.SecondsFieldNumber)
            {
                seconds = (long)number;
            }
            else if (field == Timestamp.NanosFieldNumber)
            {
                nanos = (int)number;
            }
        }

        return !message.IsEmpty && seconds is >= LeastSeconds and <= MostSeconds && nanos is >= 0 and < 1_000_000_000;
    }

    // Whoever gets a response may refuse it whole for one text that is not UTF-8.
    private static void CheckText(Fields fields)
    {
        if (!Utf8.IsValid(fields.ModelVersion) || !Utf8.IsValid(fields.TriggerEventId))
        {
            throw new InvalidDataException("model_version or trigger_event_id is not UTF-8");
        }

        // Tags and short lengths are ASCII too, so mostly one look at all of them will do.
        if (Ascii.IsValid(fields.Ids))
        {
            return;
        }

        var ids = new WireReader(fields.Ids);
        for (var i = 0; !ids.AtEnd && ids.TryReadTag(out _, out _) && ids.TryReadBytes(out var id); i++)
        {
            if (!Utf8.IsValid(id))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"show_ids[{i}] is not UTF-8"));
            }
        }
    }

    // Legal protobuf need not have our writer's order: protobuf's own reader puts it in order.
    private static byte[] Reorder(byte[] stored)
    {
        try
        {
            return RetrievalSet.Parser.ParseFrom(stored).ToByteArray();
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException(e.Message, e);
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
                    fields.Count += 1 + reader.SkipShort((byte)(RetrievalSet.ShowIdsFieldNumber << 3 | WireReader.Bytes));
                    fields.Ids = stored[idsFrom..reader.Position];
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
        private WireReader _ids = new(set.Ids);
        private ReadOnlySpan<byte> _id;
        private int _index = -1;

        public readonly Entry Current => new(
            _index,
            _id,
            BinaryPrimitives.ReadSingleLittleEndian(_set.Scores[(_index * sizeof(float))..]),
            _set.IdScores.IsEmpty ? null : BinaryPrimitives.ReadSingleLittleEndian(_set.IdScores[(_index * sizeof(float))..]),
            _set.Categories.IsEmpty ? (byte)0 : _set.Categories[_index]);

        public bool MoveNext()
        {
            _index++;
            return !_ids.AtEnd && _ids.TryReadTag(out _, out _) && _ids.TryReadBytes(out _id);
        }
    }
}
