namespace Nearline.Model.Layers;

/// <summary>
/// Where the behaviours of a batch lie in the tensors of the interest layers. Sequences are grouped by length; a group
/// is padded to its longest, and the groups lie one after another on one token axis. Token-wise layers run over that
/// axis at once, attention runs group by group on views of it, so nothing is gathered or scattered in between and
/// compute follows real tokens.
/// </summary>
/// <remarks>
/// Groups are chosen by dynamic programming to minimise padded tokens plus a fixed price a group (each costs kernel
/// launches). All-to-one padding would cost 2 to 3 times the tokens on uneven histories.
/// </remarks>
internal sealed class SequenceLayout
{
    /// <summary>What one more group costs on a CPU, in tokens.</summary>
    private const int GroupPrice = 48;

    /// <summary>
    /// The same on a GPU: some forty kernels to launch, in whose time an H100 runs three encoder layers of width 128 over
    /// thousands of tokens.
    /// </summary>
    private const int DeviceGroupPrice = 4096;

    private SequenceLayout(IReadOnlyList<SequenceGroup> groups, int[] rowOfSequence, int[] firstToken, int tokens, int rows)
    {
        Groups = groups;
        RowOfSequence = rowOfSequence;
        FirstToken = firstToken;
        Tokens = tokens;
        Rows = rows;
    }

    /// <summary>The groups, longest sequences first.</summary>
    public IReadOnlyList<SequenceGroup> Groups { get; }

    /// <summary>Row of each sequence in the order of the groups; -1 for an empty sequence, which has none.</summary>
    public int[] RowOfSequence { get; }

    /// <summary>Position on the token axis of each sequence's first behaviour; -1 for an empty sequence.</summary>
    public int[] FirstToken { get; }

    /// <summary>Tokens on the axis, padding included.</summary>
    public int Tokens { get; }

    /// <summary>Sequences that are not empty.</summary>
    public int Rows { get; }

    /// <summary>Lays out sequences.</summary>
    /// <param name="lengths">The length of each, possibly 0.</param>
    /// <param name="isOnDevice">Whether layers run on a GPU, where fewer groups pay.</param>
    public static SequenceLayout Of(ReadOnlySpan<int> lengths, bool isOnDevice = false)
    {
        var longest = 0;
        foreach (var length in lengths)
        {
            longest = Math.Max(longest, length);
        }

        // Counting sort, longest first: order[] lists the sequences that are not empty.
        var counts = new int[longest + 1];
        foreach (var length in lengths)
        {
            counts[length]++;
        }

        var next = new int[longest + 1];
        for (int length = longest, at = 0; length > 0; length--)
        {
            next[length] = at;
            at += counts[length];
        }

        var rowOfSequence = new int[lengths.Length];
        var firstToken = new int[lengths.Length];
        var rows = lengths.Length - counts[0];
        var order = new int[rows];
        for (var i = 0; i < lengths.Length; i++)
        {
            rowOfSequence[i] = lengths[i] == 0 ? -1 : next[lengths[i]]++;
            firstToken[i] = -1;
            if (lengths[i] > 0)
            {
                order[rowOfSequence[i]] = i;
            }
        }

        var groups = new List<SequenceGroup>();
        var (row, token) = (0, 0);
        foreach (var (longestInGroup, count) in Partition(counts, isOnDevice ? DeviceGroupPrice : GroupPrice))
        {
            var lengthsInGroup = new int[count];
            for (var r = 0; r < count; r++)
            {
                var sequence = order[row + r];
                lengthsInGroup[r] = lengths[sequence];
                firstToken[sequence] = token + (r * longestInGroup);
            }

            groups.Add(new SequenceGroup(count, longestInGroup, lengthsInGroup));
            row += count;
            token += count * longestInGroup;
        }

        return new SequenceLayout(groups, rowOfSequence, firstToken, token, rows);
    }

    /// <summary>The cheapest cut of the lengths, longest first, into groups of (longest length, sequences).</summary>
    private static List<(int Length, int Count)> Partition(int[] counts, int groupPrice)
    {
        var lengths = new List<int>();
        for (var length = counts.Length - 1; length > 0; length--)
        {
            if (counts[length] > 0)
            {
                lengths.Add(length);
            }
        }

        // best[k]: least cost of the first k distinct lengths; from[k]: where its last group begins.
        var best = new long[lengths.Count + 1];
        var from = new int[lengths.Count + 1];
        for (var end = 1; end <= lengths.Count; end++)
        {
            best[end] = long.MaxValue;
            var sequences = 0;
            for (var start = end - 1; start >= 0; start--)
            {
                sequences += counts[lengths[start]];
                var cost = best[start] + ((long)sequences * lengths[start]) + groupPrice;
                if (cost < best[end])
                {
                    (best[end], from[end]) = (cost, start);
                }
            }
        }

        var groups = new List<(int, int)>();
        for (var end = lengths.Count; end > 0; end = from[end])
        {
            groups.Add((lengths[from[end]], lengths[from[end]..end].Sum(length => counts[length])));
        }

        groups.Reverse();
        return groups;
    }
}

/// <summary>Sequences of similar length, padded to the longest.</summary>
/// <param name="Count">Sequences.</param>
/// <param name="Length">Length of the longest.</param>
/// <param name="Lengths">Length of each.</param>
internal sealed record SequenceGroup(int Count, int Length, int[] Lengths)
{
    /// <summary>Whether any sequence is shorter than the longest.</summary>
    public bool IsPadded => Lengths.Length > 0 && Lengths[^1] < Length;
}
