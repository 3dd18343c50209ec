using System.Buffers;
using System.Text.Json;

namespace Nearline.Model.Data.Files;

/// <summary>Files of one JSON object a line.</summary>
internal static class JsonLines
{
    private const int ReportEvery = 1 << 22;

    /// <summary>Writes one line an item, each ended by a line feed.</summary>
    public static void Write<T>(Stream stream, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        using var json = new Utf8JsonWriter(buffer, JsonOutput.Options);
        foreach (var item in items)
        {
            write(json, item);
            json.Flush();
            json.Reset();
            buffer.Write("\n"u8);
            if (buffer.WrittenCount >= 1 << 15)
            {
                stream.Write(buffer.WrittenSpan);
                buffer.ResetWrittenCount();
            }
        }

        stream.Write(buffer.WrittenSpan);
    }

    /// <summary>Hands each line that is not blank to <paramref name="read"/>, with its position.</summary>
    public static void Read(
        string path,
        Action<JsonElement, DatasetPosition> read,
        IProgress<DatasetProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var stream = DatasetFiles.OpenRead(path);
        var total = stream.Length;
        var buffer = new byte[1 << 16];
        var (start, end, line) = (0, 0, 0L);
        var (done, reported) = (0L, 0L);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = stream.Read(buffer, end, buffer.Length - end);
            var isLast = count == 0;
            end += count;
            while (true)
            {
                var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
                if (length < 0 && !(isLast && end > start))
                {
                    break;
                }

                var taken = length < 0 ? end - start : length + 1;
                ReadLine(buffer.AsMemory(start, length < 0 ? taken : length), new DatasetPosition(path, ++line), read);
                start += taken;
                done += taken;
            }

            if (progress is not null && (isLast || done - reported >= ReportEvery))
            {
                reported = done;
                progress.Report(new DatasetProgress(path, done, total));
            }

            if (isLast)
            {
                return;
            }

            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private static void ReadLine(
        ReadOnlyMemory<byte> text, DatasetPosition at, Action<JsonElement, DatasetPosition> read)
    {
        var hasByteOrderMark = at.Line == 1 && text.Span.StartsWith("\uFEFF"u8);
        text = hasByteOrderMark ? text[3..] : text;
        if (text.Span.Trim(" \t\r"u8).IsEmpty)
        {
            return;
        }

        using var document = JsonFields.Parse(text, at);
        read(document.RootElement, at);
    }
}
