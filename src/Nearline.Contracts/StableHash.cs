using System.Text;

namespace Nearline.Contracts;

/// <summary>
/// 64-bit hashes that are the same on every machine and in every version: they are stored. FNV-1a over UTF-8, then
/// the finaliser of MurmurHash3, since FNV alone mixes the high bits of short keys badly.
/// </summary>
public static class StableHash
{
    private const ulong Offset = 14695981039346656037UL;
    private const ulong Prime = 1099511628211UL;

    /// <summary>The hash of one text.</summary>
    public static ulong Of(string text) => Finish(Fold(Offset, text));

    /// <summary>The hash of one text that is in UTF-8 already; equals <see cref="Of(string)"/> of that text.</summary>
    public static ulong Of(ReadOnlySpan<byte> utf8) => Finish(Fold(Offset, utf8));

    /// <summary>The hash of a pair; (ab, c) and (a, bc) differ.</summary>
    public static ulong Of(string first, string second)
    {
        var hash = Fold(Offset, first);
        hash = (hash ^ 0xFF) * Prime;
        return Finish(Fold(hash, second));
    }

    private static ulong Fold(ulong hash, string text)
    {
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = length <= 512 ? stackalloc byte[length] : new byte[length];
        return Fold(hash, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
    }

    private static ulong Fold(ulong hash, ReadOnlySpan<byte> utf8)
    {
        foreach (var b in utf8)
        {
            hash = (hash ^ b) * Prime;
        }

        return hash;
    }

    private static ulong Finish(ulong hash)
    {
        hash ^= hash >> 33;
        hash *= 0xFF51AFD7ED558CCDUL;
        hash ^= hash >> 33;
        hash *= 0xC4CEB9FE1A85EC53UL;
        return hash ^ (hash >> 33);
    }
}
