namespace Nearline.Api.Overload;

/// <summary>HPACK (RFC 7541), as far as to see whether a header block changes its decoder.</summary>
internal static class HeaderBlock
{
    private const int MostVarintBytes = 5;

    /// <summary>
    /// Whether nothing after this block depends on it: it adds no entry to the dynamic table and does not resize it. Then
    /// the decoder need not see it. False too for what cannot be understood.
    /// </summary>
    public static bool LeavesDecoderAlone(ReadOnlySpan<byte> block)
    {
        var at = 0;
        while (at < block.Length)
        {
            var first = block[at];
            if ((first & 0x80) != 0)
            {
                // Indexed: a field that both sides know.
                if (!TryReadInteger(block, ref at, 7, out _))
                {
                    return false;
                }
            }
            else if ((first & 0xE0) != 0)
            {
                // With incremental indexing, or a change of the table's size.
                return false;
            }
            else if (!TryReadInteger(block, ref at, 4, out var name)
                || (name == 0 && !TrySkipText(block, ref at))
                || !TrySkipText(block, ref at))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TrySkipText(ReadOnlySpan<byte> block, ref int at)
    {
        if (!TryReadInteger(block, ref at, 7, out var length) || length > block.Length - at)
        {
            return false;
        }

        at += length;
        return true;
    }

    private static bool TryReadInteger(ReadOnlySpan<byte> block, ref int at, int prefix, out int value)
    {
        value = 0;
        if (at == block.Length)
        {
            return false;
        }

        var most = (1 << prefix) - 1;
        value = block[at++] & most;
        if (value < most)
        {
            return true;
        }

        var wide = (long)value;
        for (var i = 0; i < MostVarintBytes && at < block.Length; i++)
        {
            var next = block[at++];
            wide += (long)(next & 0x7F) << (7 * i);
            if (next < 0x80)
            {
                value = (int)Math.Min(wide, int.MaxValue);
                return true;
            }
        }

        return false;
    }
}
