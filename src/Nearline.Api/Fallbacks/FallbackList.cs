using Nearline.Api.Serving;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Fallbacks;

/// <summary>A fallback list in memory.</summary>
internal sealed class FallbackList
{
    private readonly byte[] _stored;
    private readonly byte[] _readable;

    private FallbackList(byte[] stored, byte[] readable)
    {
        _stored = stored;
        _readable = readable;
        Count = Set.Count;
        ModelVersion = Set.ReadModelVersion();
    }

    public string ModelVersion { get; }

    /// <summary>How many shows it has.</summary>
    public int Count { get; }

    /// <summary>The list, best first.</summary>
    public StoredSet Set => StoredSet.Read(_readable);

    /// <summary>Decodes a stored list.</summary>
    /// <exception cref="InvalidDataException">It is not a <see cref="RetrievalSet"/>.</exception>
    public static FallbackList Read(byte[] stored) => new(stored, StoredSet.Normalize(stored));

    public bool IsStoredAs(byte[] stored) => _stored.AsSpan().SequenceEqual(stored);
}
