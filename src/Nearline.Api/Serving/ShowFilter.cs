using System.Runtime.CompilerServices;

namespace Nearline.Api.Serving;

/// <summary>Decides show by show, by the hash of the show's id and its category.</summary>
internal readonly ref struct ShowFilter
{
    private readonly WatchedHashes _watched;
    private readonly ReadOnlySpan<ulong> _excluded;
    private readonly uint _categories;
    private readonly Sieve _sieve;

    /// <param name="watched">What the user has watched.</param>
    /// <param name="excluded">Hashes of the shows that the request leaves out, sorted.</param>
    /// <param name="categories">Bit n set: category n is asked for; 0: all are.</param>
    public ShowFilter(WatchedHashes watched, ReadOnlySpan<ulong> excluded, uint categories)
    {
        _watched = watched;
        _excluded = excluded;
        _categories = categories;
        AdmitsAll = watched.Count == 0 && excluded.IsEmpty && categories == 0;
        for (var i = 0; i < watched.Count; i++)
        {
            Put(ref _sieve, watched[i]);
        }

        foreach (var hash in excluded)
        {
            Put(ref _sieve, hash);
        }
    }

    /// <summary>Whether there is nothing to decide.</summary>
    public bool AdmitsAll { get; }

    public FilterVerdict Judge(ulong hash, byte category)
    {
        if (_categories != 0 && (category >= 32 || (_categories >> category & 1) == 0))
        {
            return FilterVerdict.OtherCategory;
        }

        // Nearly every show of a set is in neither list, and one bit tells.
        if ((_sieve[(int)(hash % Sieve.Bits / 64)] >> (int)(hash % 64) & 1) == 0)
        {
            return FilterVerdict.Admitted;
        }

        if (_watched.Contains(hash))
        {
            return FilterVerdict.Watched;
        }

        return _excluded.BinarySearch(hash) >= 0 ? FilterVerdict.Excluded : FilterVerdict.Admitted;
    }

    private static void Put(ref Sieve sieve, ulong hash) => sieve[(int)(hash % Sieve.Bits / 64)] |= 1UL << (int)(hash % 64);

    /// <summary>One bit a hash: clear means that it is in no list.</summary>
    [InlineArray((int)(Bits / 64))]
    private struct Sieve
    {
        public const ulong Bits = 4096;

        private ulong _first;
    }
}
