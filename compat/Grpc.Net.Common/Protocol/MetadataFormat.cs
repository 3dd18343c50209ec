using Grpc.Core;

namespace Grpc.Net.Protocol;

/// <summary>Metadata as header values: base64 for keys that end in "-bin".</summary>
internal static class MetadataFormat
{
    public static string Encode(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;

    /// <summary>Adds one received header; bytes may come padded or not, and several in one value by commas.</summary>
    /// <exception cref="FormatException">A binary value is no base64.</exception>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(name, value);
        }
        else if (!value.Contains(',', StringComparison.Ordinal))
        {
            metadata.Add(name, DecodeBytes(value));
        }
        else
        {
            foreach (var part in value.Split(','))
            {
                metadata.Add(name, DecodeBytes(part.Trim()));
            }
        }
    }

    private static byte[] DecodeBytes(string value) => (value.Length % 4) switch
    {
        0 => Convert.FromBase64String(value),
        2 => Convert.FromBase64String(value + "=="),
        3 => Convert.FromBase64String(value + "="),
        _ => throw new FormatException("Invalid base-64 header value."),
    };
}
