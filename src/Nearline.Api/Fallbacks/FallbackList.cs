using Google.Protobuf.WellKnownTypes;
using Nearline.Api.Serving;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Fallbacks;

/// <summary>
/// A fallback list in memory, decoded once. Its messages are shared by all answers: nobody may change them.
/// </summary>
internal sealed class FallbackList
{
    private readonly byte[] _stored;
    private readonly Candidate[] _candidates;
    private readonly ulong[] _hashes;
    private readonly byte[] _categories;

    private FallbackList(byte[] stored, StoredSet set)
    {
        _stored = stored;
        _candidates = new Candidate[set.Count];
        _hashes = new ulong[set.Count];
        _categories = new byte[set.Count];
        ModelVersion = set.ReadModelVersion();
        GeneratedAt = set.ReadGeneratedAt();
        foreach (var show in set)
        {
            _candidates[show.Index] = new Candidate { ItemId = show.ReadId(), Score = show.Score };
            _hashes[show.Index] = StableHash.Of(show.Id);
            _categories[show.Index] = show.Category;
        }
    }

    public string ModelVersion { get; }

    public Timestamp? GeneratedAt { get; }

    public int Count => _candidates.Length;

    /// <summary>Decodes a stored list.</summary>
    /// <exception cref="InvalidDataException">It is not a <see cref="Contracts.Storage.V1.RetrievalSet"/>.</exception>
    public static FallbackList Read(byte[] stored) => new(stored, StoredSet.Read(stored));

    public bool IsStoredAs(byte[] stored) => _stored.AsSpan().SequenceEqual(stored);

    /// <summary>Appends what the filter admits, best first, up to <paramref name="limit"/> (0: all).</summary>
    public FilterTally Select(ShowFilter filter, int limit, ICollection<Candidate> into)
    {
        var tally = default(FilterTally);
        for (var i = 0; i < _candidates.Length && (limit == 0 || tally.Admitted < limit); i++)
        {
            if (tally.Note(filter.Judge(_hashes[i], _categories[i])))
            {
                into.Add(_candidates[i]);
            }
        }

        return tally;
    }

    /// <summary>A show's place, from 0, or -1.</summary>
    public int IndexOf(string showId) => Array.FindIndex(_candidates, candidate => candidate.ItemId == showId);

    /// <summary>The candidate at a place.</summary>
    public Candidate this[int index] => _candidates[index];
}
