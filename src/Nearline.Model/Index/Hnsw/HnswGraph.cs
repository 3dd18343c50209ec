using System.Runtime.CompilerServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Lists of neighbours: one for each row at the base, one more for each level above it that the row is in. A list has a
/// fixed width; what it does not use is <see cref="End"/>.
/// </summary>
internal sealed class HnswGraph
{
    public const int LeastLinks = 2;
    public const int MostLinks = 256;

    /// <summary>No neighbour, and none after it.</summary>
    public const int End = -1;

    private readonly AlignedArray<int> baseLinks;
    private readonly AlignedArray<int> upperLinks;
    private readonly AlignedArray<int> upperStarts;

    /// <summary>Without links.</summary>
    /// <param name="levels">Of each row, from zero.</param>
    /// <param name="links">That a row chooses.</param>
    public HnswGraph(ReadOnlySpan<byte> levels, int links)
    {
        (Count, Links) = (levels.Length, links);
        upperStarts = new AlignedArray<int>(Count + 1L);
        for (var row = 0; row < Count; row++)
        {
            upperStarts[row + 1] = checked(upperStarts[row] + levels[row]);
            if (levels[row] > TopLevel || row == 0)
            {
                (Entry, TopLevel) = (row, levels[row]);
            }
        }

        baseLinks = new AlignedArray<int>((long)Count * 2 * links);
        upperLinks = new AlignedArray<int>((long)UpperLists * links);
        for (var list = 0; list < Lists; list++)
        {
            this[list].Fill(End);
        }
    }

    /// <summary>As it was stored; not checked.</summary>
    public HnswGraph(
        int count, int links, int entry, int topLevel, AlignedArray<int> baseLinks, AlignedArray<int> upperLinks, AlignedArray<int> upperStarts)
    {
        (Count, Links, Entry, TopLevel) = (count, links, entry, topLevel);
        (this.baseLinks, this.upperLinks, this.upperStarts) = (baseLinks, upperLinks, upperStarts);
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>Neighbours that a row chooses.</summary>
    public int Links { get; }

    /// <summary>The row that every walk starts from: one of the highest level.</summary>
    public int Entry { get; }

    /// <summary>The highest level.</summary>
    public int TopLevel { get; }

    /// <summary>Lists above the base.</summary>
    public int UpperLists => upperStarts[Count];

    /// <summary>Lists in all.</summary>
    public int Lists => checked(Count + UpperLists);

    public long MemoryBytes => baseLinks.Bytes + upperLinks.Bytes + upperStarts.Bytes;

    /// <summary>[count, 2 links].</summary>
    public AlignedArray<int> BaseLinks => baseLinks;

    /// <summary>[upper lists, links].</summary>
    public AlignedArray<int> UpperLinks => upperLinks;

    /// <summary>[count + 1]: upper lists of the rows before each.</summary>
    public AlignedArray<int> UpperStarts => upperStarts;

    /// <summary>A list by its number: those of the base first.</summary>
    public Span<int> this[int list] => list < Count
        ? baseLinks.Slice((nint)list * 2 * Links, 2 * Links)
        : upperLinks.Slice((nint)(list - Count) * Links, Links);

    /// <summary>The highest level of a row.</summary>
    public int Level(int row) => upperStarts[row + 1] - upperStarts[row];

    /// <summary>The number of a row's list at one of its levels.</summary>
    public int List(int row, int level) => level == 0 ? row : Count + upperStarts[row] + level - 1;

    /// <summary>Fetches a list of the base.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int row)
    {
        ref var at = ref baseLinks[(nint)row * 2 * Links];
        for (var i = 0; i < 2 * Links; i += AlignedArray<int>.Line / sizeof(int))
        {
            CacheLine.Prefetch(ref Unsafe.Add(ref at, i));
        }
    }
}
