namespace Nearline.Api.Serving;

/// <summary>Decides show by show, by the hash of the show's id and its category.</summary>
/// <param name="watched">What the user has watched.</param>
/// <param name="excluded">Hashes of the shows that the request leaves out, sorted.</param>
/// <param name="categories">Bit n set: category n is asked for; 0: all are.</param>
internal readonly ref struct ShowFilter(WatchedHashes watched, ReadOnlySpan<ulong> excluded, uint categories)
{
    private readonly WatchedHashes _watched = watched;
    private readonly ReadOnlySpan<ulong> _excluded = excluded;

    public FilterVerdict Judge(ulong hash, byte category)
    {
        if (categories != 0 && (category >= 32 || (categories >> category & 1) == 0))
        {
            return FilterVerdict.OtherCategory;
        }

        if (_watched.Contains(hash))
        {
            return FilterVerdict.Watched;
        }

        return _excluded.BinarySearch(hash) >= 0 ? FilterVerdict.Excluded : FilterVerdict.Admitted;
    }
}
