using System.Globalization;
using System.Text;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>A growing UTF-8 buffer with a limit.</summary>
internal sealed class TextBuffer(int limit)
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public int Length => _length;

    /// <exception cref="InvalidOperationException">The limit is passed.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    public void Write(string text)
    {
        var room = Reserve(Encoding.UTF8.GetMaxByteCount(text.Length), Encoding.UTF8.GetByteCount(text));
        _length += Encoding.UTF8.GetBytes(text, room);
    }

    public void Write(long value)
    {
        const int Longest = 20;
        value.TryFormat(Reserve(Longest), out var written, default, CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>Backslash and line feed escaped, and the quotation mark where asked.</summary>
    public void WriteEscaped(string text, bool quotationMarks)
    {
        if (text.AsSpan().IndexOfAny('\\', '\n', '"') < 0)
        {
            Write(text);
            return;
        }

        var escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Write(quotationMarks ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped);
    }

    public void Truncate(int length) => _length = length;

    private Span<byte> Reserve(int most) => Reserve(most, most);

    private Span<byte> Reserve(int most, int exact)
    {
        if (exact > limit - _length)
        {
            throw new InvalidOperationException($"The scrape response is larger than {limit} bytes.");
        }

        if (_bytes.Length - _length < most)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_length + most, _bytes.Length * 2L)));
        }

        return _bytes.AsSpan(_length);
    }
}
