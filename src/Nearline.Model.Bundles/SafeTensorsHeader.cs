using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nearline.Model.Bundles;

/// <summary>
/// The header of a safetensors file: 8 bytes length (little-endian), then that much JSON of
/// <c>{"name": {"dtype", "shape", "data_offsets": [begin, end]}}</c>, offsets counted from the header's end. The
/// tensors cover the rest of the file without gap or overlap.
/// </summary>
internal static class SafeTensorsHeader
{
    public const string MetadataName = "__metadata__";

    /// <summary>Bytes of the length field.</summary>
    public const int LengthSize = 8;

    /// <summary>The format's own limit on the JSON.</summary>
    public const int MaxLength = 100_000_000;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The JSON, padded with spaces so that data begins at a multiple of 8.</summary>
    public static byte[] Write(IReadOnlyList<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(
            stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataName);
                foreach (var (name, value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Kind.ToString());
                json.WriteStartArray("shape");
                foreach (var length in tensor.Shape)
                {
                    json.WriteNumberValue(length);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0)
        {
            stream.WriteByte((byte)' ');
        }

        return stream.Length <= MaxLength
            ? stream.ToArray()
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"header: {stream.Length} bytes of names; at most {MaxLength}"),
                nameof(tensors));
    }

    /// <summary>Reads and checks the JSON of a file with <paramref name="dataLength"/> bytes after it.</summary>
    /// <exception cref="SafeTensorsException">Something is not as the format demands; the tensor is named.</exception>
    public static (List<TensorInfo> Tensors, Dictionary<string, string> Metadata) Parse(
        string file, ReadOnlyMemory<byte> header, long dataLength)
    {
        if (header.Length == 0 || header.Span[0] != (byte)'{')
        {
            throw new SafeTensorsException(file, "header: must begin with '{'");
        }

        var tensors = new List<TensorInfo>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(header, Strict);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataName)
                {
                    ReadMetadata(file, property.Value, metadata);
                }
                else
                {
                    tensors.Add(ReadTensor(file, property.Name, property.Value, LengthSize + header.Length, dataLength));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SafeTensorsException(file, $"header: not valid JSON: {e.Message}", e);
        }

        CheckCover(file, tensors, LengthSize + header.Length, dataLength);
        return (tensors, metadata);
    }

    /// <summary>The bytes of a shape; null when a length is negative or the product does not fit.</summary>
    public static long? ByteCount(TensorKind kind, ReadOnlySpan<long> shape)
    {
        var count = (Int128)TensorKinds.SizeOf(kind);
        var isEmpty = false;
        foreach (var length in shape)
        {
            if (length < 0)
            {
                return null;
            }

            isEmpty |= length == 0;
            count *= length == 0 ? 1 : length;
            if (count > long.MaxValue)
            {
                return null;
            }
        }

        return isEmpty ? 0 : (long)count;
    }

    private static TensorInfo ReadTensor(string file, string name, JsonElement entry, long dataStart, long dataLength)
    {
        SafeTensorsException Fail(string problem) => new(file, $"tensor '{name}': {problem}");

        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw Fail("must be an object of dtype, shape and data_offsets");
        }

        TensorKind? kind = null;
        long[]? shape = null, offsets = null;
        foreach (var field in entry.EnumerateObject())
        {
            switch (field.Name)
            {
                case "dtype":
                    var dtype = field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : "";
                    kind = TensorKinds.Parse(dtype) ??
                        throw Fail($"dtype: {field.Value.GetRawText()}: must be one of {TensorKinds.All}");
                    break;
                case "shape":
                    shape = Numbers(field.Value) ?? throw Fail($"shape: {field.Value.GetRawText()}: must be whole numbers from 0");
                    break;
                case "data_offsets":
                    offsets = Numbers(field.Value) is { Length: 2 } pair
                        ? pair
                        : throw Fail($"data_offsets: {field.Value.GetRawText()}: must be [begin, end]");
                    break;
                default:
                    throw Fail($"unknown field '{field.Name}'; dtype, shape and data_offsets are known");
            }
        }

        if (kind is not { } elements || shape is null || offsets is null)
        {
            throw Fail("dtype, shape and data_offsets are needed");
        }

        var (begin, end) = (offsets[0], offsets[1]);
        if (end < begin || end > dataLength)
        {
            throw Fail($"data_offsets: [{begin}, {end}]: must ascend within the file's {dataLength} bytes of data");
        }

        return ByteCount(elements, shape) is { } bytes && bytes == end - begin
            ? new TensorInfo(name, elements, shape, dataStart + begin, end - begin)
            : throw Fail($"data_offsets: [{begin}, {end}]: {end - begin} bytes do not fit {elements} [{string.Join(", ", shape)}]");
    }

    private static void ReadMetadata(string file, JsonElement element, Dictionary<string, string> metadata)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new SafeTensorsException(file, $"{MetadataName}: must be an object of texts");
        }

        foreach (var (name, value) in element.EnumerateObject().Select(p => (p.Name, p.Value)))
        {
            metadata[name] = value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw new SafeTensorsException(file, $"{MetadataName}['{name}']: {value.GetRawText()}: must be a text");
        }
    }

    private static long[]? Numbers(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var numbers = new List<long>();
        foreach (var item in element.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0)
            {
                return null;
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static void CheckCover(string file, List<TensorInfo> tensors, long dataStart, long dataLength)
    {
        var position = dataStart;
        var before = "the header";
        foreach (var tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.ByteCount))
        {
            if (tensor.Offset != position)
            {
                throw new SafeTensorsException(file, string.Create(
                    CultureInfo.InvariantCulture,
                    $"tensor '{tensor.Name}': data_offsets: begins at {tensor.Offset - dataStart}, but {before} ends at {position - dataStart}: {(tensor.Offset < position ? "an overlap" : "a gap")}"));
            }

            position += tensor.ByteCount;
            before = $"tensor '{tensor.Name}'";
        }

        if (position != dataStart + dataLength)
        {
            throw new SafeTensorsException(file, string.Create(
                CultureInfo.InvariantCulture,
                $"{dataStart + dataLength - position} bytes after {before}, which no tensor has"));
        }
    }
}
