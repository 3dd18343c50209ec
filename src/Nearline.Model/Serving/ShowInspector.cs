using Nearline.Model.Behaviours;
using Nearline.Model.Index;

namespace Nearline.Model.Serving;

/// <summary>
/// Looks at one show as a search sees it: row, masks, score and rank, and the shows of the user's past beside it.
/// </summary>
/// <param name="catalog">The shows.</param>
/// <param name="index">The rows of the model's shows; those that came after it are in the catalog's side index.</param>
/// <param name="rowOf">The row of a show that the model was trained with, else -1.</param>
/// <param name="idWidth">Columns of the ID channel, the first; all of them in a model of one channel.</param>
internal sealed class ShowInspector(LiveCatalog catalog, IItemIndex index, Func<string, int> rowOf, int idWidth)
{
    /// <summary>Ranking scores every show: beyond so many it would hold users' events up for too long.</summary>
    public const int MaxRanked = 200_000;

    /// <summary>The show's row, counted through both segments; -1: it has none.</summary>
    public int RowOf(string showId) =>
        rowOf(showId) is >= 0 and var row ? row
        : catalog.SideRowOf(showId) is >= 0 and var side ? index.Count + side
        : -1;

    /// <summary>How the model knows the show.</summary>
    public ShowStanding StandingOf(string showId) => RowOf(showId) switch
    {
        < 0 => catalog.IsUnreachable(showId) ? ShowStanding.Unreachable : ShowStanding.Unknown,
        var row => row < index.Count ? ShowStanding.Known : ShowStanding.New,
    };

    /// <summary>The score of a row, with the same bits as in a search.</summary>
    public float Score(int row, float[] query)
    {
        var (segment, local) = row < index.Count ? (index, row) : (catalog.SideIndex, row - index.Count);
        var only = ItemMask.None(segment.Count);
        only.Add(local);
        return segment.Search(query, 1, [only])[0].Scores[0];
    }

    /// <summary>How many of the rows that the masks let pass stand before a row by score; null: there are too many to tell.</summary>
    public int? Before(int row, float score, float[] query, ItemMask known, ItemMask side)
    {
        if (index.Count + catalog.Side.Count > MaxRanked)
        {
            return null;
        }

        return Count(index, known, 0) + Count(catalog.SideIndex, side, index.Count);

        int Count(IItemIndex segment, ItemMask mask, int offset)
        {
            if (segment.Count == 0)
            {
                return 0;
            }

            // Of equal scores the lower row stands first, also through the segments.
            var all = segment.Search(query, segment.Count, [mask])[0];
            return all.Rows.Where((other, i) => all.Scores[i] > score || (all.Scores[i] == score && other + offset < row)).Count();
        }
    }

    /// <summary>The shows of the past nearest to a row by one channel.</summary>
    /// <param name="row">The explained show's.</param>
    /// <param name="past">What stands of the user's behaviours, by show, without the explained show.</param>
    /// <param name="byId">By the ID channel, else by the CG channel.</param>
    /// <param name="count">At most so many.</param>
    public IReadOnlyList<PastShow> Nearest(int row, ILookup<string, ShowBehaviour> past, bool byId, int count)
    {
        var own = Part(row, byId).ToArray();
        var length = Math.Sqrt(VectorMath.Dot(own, own));
        if (!(length > 0))
        {
            return [];
        }

        var near = new List<PastShow>();
        foreach (var show in past)
        {
            if (RowOf(show.Key) is not (>= 0 and var other))
            {
                continue;
            }

            var theirs = Part(other, byId);
            var product = length * Math.Sqrt(VectorMath.Dot(theirs, theirs));
            if (product > 0)
            {
                near.Add(new PastShow(show.Key, (float)(VectorMath.Dot(own, theirs) / product), Latest(show)));
            }
        }

        return [.. near.OrderByDescending(n => n.Cosine).ThenBy(n => n.ShowId, StringComparer.Ordinal).Take(count)];
    }

    /// <summary>Behaviours, latest first.</summary>
    public static IReadOnlyList<ShowBehaviour> Latest(IEnumerable<ShowBehaviour> behaviours) =>
        [.. behaviours.OrderByDescending(b => b.LastTime).ThenByDescending(b => b.Order)];

    /// <summary>A row.</summary>
    public ReadOnlySpan<float> Row(int row) => row < index.Count ? index.Row(row) : catalog.SideIndex.Row(row - index.Count);

    private ReadOnlySpan<float> Part(int row, bool byId) => byId ? Row(row)[..idWidth] : Row(row)[idWidth..];
}
