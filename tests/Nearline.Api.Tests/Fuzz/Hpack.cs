using System.Text;

namespace Nearline.Api.Tests.Fuzz;

/// <summary>
/// As much of RFC 7541 as a client needs that asked for no dynamic table and to which no Huffman code is sent: literals
/// and the static table.
/// </summary>
internal static class Hpack
{
    private const int StatusFirst = 8;
    private static readonly string[] Statuses = ["200", "204", "206", "304", "400", "404", "500"];

    // Appendix A, by name: only these are used with values of their own.
    private static readonly string[] Names =
    [
        "", ":authority", ":method", ":method", ":path", ":path", ":scheme", ":scheme", ":status", ":status", ":status", ":status",
        ":status", ":status", ":status", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept",
        "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition", "content-encoding",
        "content-language", "content-length", "content-location", "content-range", "content-type", "cookie", "date", "etag",
        "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "last-modified", "link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer",
        "refresh", "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary",
        "via", "www-authenticate",
    ];

    /// <summary>Every header as a literal that is not indexed.</summary>
    public static byte[] Encode(params IEnumerable<(string Name, string Value)> headers)
    {
        using var bytes = new MemoryStream();
        foreach (var (name, value) in headers)
        {
            bytes.WriteByte(0);
            WriteText(bytes, name);
            WriteText(bytes, value);
        }

        return bytes.ToArray();
    }

    public static void Decode(ReadOnlySpan<byte> block, Dictionary<string, string> headers)
    {
        while (!block.IsEmpty)
        {
            var first = block[0];
            if ((first & 0x80) != 0)
            {
                var index = ReadInteger(ref block, 7);
                headers[Names[index]] = index is >= StatusFirst and < StatusFirst + 7 ? Statuses[index - StatusFirst] : "";
            }
            else if ((first & 0x20) != 0 && (first & 0x40) == 0)
            {
                ReadInteger(ref block, 5);
            }
            else
            {
                var index = ReadInteger(ref block, (first & 0x40) != 0 ? 6 : 4);
                var name = index == 0 ? ReadText(ref block) : Names[index];
                headers[name] = ReadText(ref block);
            }
        }
    }

    private static void WriteText(MemoryStream output, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        WriteInteger(output, bytes.Length, 7);
        output.Write(bytes);
    }

    private static void WriteInteger(MemoryStream output, int value, int bits)
    {
        var most = (1 << bits) - 1;
        if (value < most)
        {
            output.WriteByte((byte)value);
            return;
        }

        output.WriteByte((byte)most);
        for (value -= most; value >= 128; value >>= 7)
        {
            output.WriteByte((byte)((value & 127) | 128));
        }

        output.WriteByte((byte)value);
    }

    private static int ReadInteger(ref ReadOnlySpan<byte> block, int bits)
    {
        var most = (1 << bits) - 1;
        var value = block[0] & most;
        block = block[1..];
        if (value < most)
        {
            return value;
        }

        for (var shift = 0; ; shift += 7)
        {
            var next = block[0];
            block = block[1..];
            value += (next & 127) << shift;
            if (next < 128)
            {
                return value;
            }
        }
    }

    private static string ReadText(ref ReadOnlySpan<byte> block)
    {
        var isHuffman = (block[0] & 0x80) != 0;
        var length = ReadInteger(ref block, 7);
        var text = isHuffman ? "(huffman)" : Encoding.Latin1.GetString(block[..length]);
        block = block[length..];
        return text;
    }
}
