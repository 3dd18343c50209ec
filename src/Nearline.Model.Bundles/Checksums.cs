using System.Security.Cryptography;

namespace Nearline.Model.Bundles;

/// <summary>SHA-256 as lower-case hexadecimal digits.</summary>
internal static class Checksums
{
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static (string Sha256, long Bytes) OfFile(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Options = FileOptions.SequentialScan,
            BufferSize = 1 << 20,
        });
        return (Convert.ToHexStringLower(SHA256.HashData(stream)), stream.Position);
    }
}
