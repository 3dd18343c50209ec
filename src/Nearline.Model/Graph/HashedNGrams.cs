using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>
/// Text vectors without a text model: the character n-grams of title and description, hashed with a sign to
/// <see cref="Width"/> numbers (Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009), of
/// unit length.
/// </summary>
internal static class HashedNGrams
{
    public const int Width = 256;

    private const int Shortest = 3;
    private const int Longest = 5;

    /// <summary>The vectors of the shows that have a text.</summary>
    public static NodeVectors Of(IReadOnlyList<Show> shows)
    {
        var ids = new List<string>();
        var values = new List<float>();
        foreach (var show in shows)
        {
            if (Of(show) is { } vector)
            {
                ids.Add(show.Id);
                values.AddRange(vector);
            }
        }

        return new NodeVectors(ids, Width, [.. values]);
    }

    /// <summary>A show's vector; null when its texts have no n-gram.</summary>
    public static float[]? Of(Show show)
    {
        var vector = new float[Width];
        var text = $"{show.Title} {show.Description}".ToUpperInvariant();
        for (var length = Shortest; length <= Longest; length++)
        {
            foreach (var gram in ContentNodes.NGrams(text, length))
            {
                var hash = Hash(gram);
                vector[hash % Width] += (hash >> 63) == 0 ? 1 : -1;
            }
        }

        return NodeVectors.ToUnitLength(vector) ? vector : null;
    }

    /// <summary>FNV-1a over UTF-16, mixed at the end so that all bits depend on all letters.</summary>
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in text)
        {
            hash = unchecked((hash ^ letter) * 1099511628211UL);
        }

        hash = unchecked((hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15UL);
        return hash ^ (hash >> 29);
    }
}
