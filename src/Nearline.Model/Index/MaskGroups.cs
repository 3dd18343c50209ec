using System.Numerics;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// Queries of a batch whose masks share most of their rows, such as a scenario's pool less what each user has watched:
/// the rows of all their masks together are read once for all of them. With memory that it keeps.
/// </summary>
internal sealed class MaskGroups
{
    // Compared with every query that fits nowhere.
    private const int Most = 8;

    // Words of a mask that tell how much it shares: a sample that misleads costs time, never a row.
    private const int SampledWords = 128;

    // What work on a row costs, in units of bounding one of a block that is there for one of many queries: reading it here
    // and there for one query; and taking it into a block of a group.
    private const double Alone = 6;
    private const double Packed = 12;

    private readonly Group[] groups = [.. Enumerable.Range(0, Most).Select(_ => new Group())];
    private int[] groupOf = [];
    private int step;

    /// <summary>How many there are, from the first.</summary>
    public int Count { get; private set; }

    /// <summary>Starts with none.</summary>
    /// <param name="queries">Of the batch.</param>
    /// <param name="rows">Of the index.</param>
    public void Reset(int queries, int rows)
    {
        Count = 0;
        step = Math.Max(1, ItemMask.WordsOf(rows) / SampledWords);
        if (groupOf.Length < queries)
        {
            groupOf = new int[queries];
        }

        groupOf.AsSpan(0, queries).Fill(-1);
    }

    /// <summary>Finds a query its group; queries come in ascending order.</summary>
    /// <param name="query">Which.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="rows">How many rows that allows.</param>
    /// <param name="dense">How many rows are bounded for it if it is in no group, of whole blocks; 0: those allowed, here and there.</param>
    public void Add(int query, ItemMask mask, int rows, int dense)
    {
        var alone = dense > 0 ? dense : Alone * rows;
        var (best, least) = (-1, alone / step);
        for (var g = 0; g < Count; g++)
        {
            var (before, after) = groups[g].Sizes(mask.Words, step);
            var added = ((after - before) * (Packed + groups[g].Members.Count)) + after;
            if (after > 0 && added < least)
            {
                (best, least) = (g, added);
            }
        }

        if (best < 0 && Count < Most)
        {
            best = Count++;
            groups[best].Reset(mask.Words.Length);
        }

        if (best >= 0)
        {
            groups[best].Add(query, mask, alone);
            groupOf[query] = best;
        }
    }

    /// <summary>Gives up groups that do not pay.</summary>
    public void Settle()
    {
        var kept = 0;
        for (var g = 0; g < Count; g++)
        {
            var group = groups[g];
            var pays = group.Members.Count > 1 && Cost(group) < group.CostAlone;
            foreach (var query in group.Members)
            {
                groupOf[query] = pays ? kept : -1;
            }

            if (pays)
            {
                (groups[kept], groups[g]) = (group, groups[kept]);
                kept++;
            }
        }

        Count = kept;
    }

    /// <summary>Whether a query is in a group.</summary>
    public bool Has(int query) => groupOf[query] >= 0;

    /// <summary>All rows that a group's masks allow, as words of a mask.</summary>
    public ReadOnlySpan<ulong> Union(int group) => groups[group].Union;

    /// <summary>The queries of a group, in ascending order.</summary>
    public ReadOnlySpan<int> Members(int group) => CollectionsMarshal.AsSpan(groups[group].Members);

    /// <summary>What a group's rows cost, in rows that are bounded for a query.</summary>
    public double Cost(int group) => Cost(groups[group]);

    private static double Cost(Group group) => ItemMask.CountOf(group.Union) * (Packed + group.Members.Count);

    private sealed class Group
    {
        private ulong[] union = [];
        private int words;
        private ItemMask? latest;

        public List<int> Members { get; } = [];

        public double CostAlone { get; private set; }

        public ReadOnlySpan<ulong> Union => union.AsSpan(0, words);

        public void Reset(int length)
        {
            (words, latest, CostAlone) = (length, null, 0);
            Members.Clear();
            if (union.Length < length)
            {
                union = new ulong[length];
            }

            union.AsSpan(0, length).Clear();
        }

        public void Add(int query, ItemMask mask, double alone)
        {
            Members.Add(query);
            CostAlone += alone;
            if (ReferenceEquals(mask, latest))
            {
                return;
            }

            latest = mask;
            var all = union.AsSpan(0, words);
            var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(all);
            var added = MemoryMarshal.Cast<ulong, Vector<ulong>>(mask.Words);
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] |= added[i];
            }

            for (var i = vectors.Length * Vector<ulong>.Count; i < all.Length; i++)
            {
                all[i] |= mask.Words[i];
            }
        }

        /// <summary>Sampled rows of the union without a mask and with it.</summary>
        public (int Before, int After) Sizes(ReadOnlySpan<ulong> mask, int step)
        {
            var (before, after) = (0, 0);
            for (var i = 0; i < mask.Length; i += step)
            {
                before += BitOperations.PopCount(union[i]);
                after += BitOperations.PopCount(union[i] | mask[i]);
            }

            return (before, after);
        }
    }
}
