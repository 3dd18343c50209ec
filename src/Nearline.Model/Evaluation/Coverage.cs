namespace Nearline.Model.Evaluation;

/// <summary>The shows that sets contained, each once.</summary>
internal sealed class Coverage
{
    /// <summary>Among the first 20 of a set.</summary>
    public HashSet<string> First20 { get; } = new(StringComparer.Ordinal);

    /// <summary>Among the first 100.</summary>
    public HashSet<string> First100 { get; } = new(StringComparer.Ordinal);

    /// <summary>What any of them contained.</summary>
    public static Coverage Union(IEnumerable<Coverage> parts)
    {
        var union = new Coverage();
        foreach (var part in parts)
        {
            union.First20.UnionWith(part.First20);
            union.First100.UnionWith(part.First100);
        }

        return union;
    }

    /// <summary>The shares of a pool that were contained.</summary>
    public (double At20, double At100) Of(HashSet<string> pool) =>
        pool.Count == 0
            ? (0, 0)
            : ((double)First20.Count(pool.Contains) / pool.Count, (double)First100.Count(pool.Contains) / pool.Count);
}
