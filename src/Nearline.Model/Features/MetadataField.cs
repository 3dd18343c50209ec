namespace Nearline.Model.Features;

/// <summary>One field of the shows' raw metadata, as rows of an embedding table with weights.</summary>
/// <param name="Name">What it tells: tag, cast, release, text, director or brand.</param>
/// <param name="Size">Rows of its table, one a value.</param>
/// <param name="Starts">Where each show's values begin among <paramref name="Rows"/>, one more at the end.</param>
/// <param name="Rows">The values of all shows.</param>
/// <param name="Weights">TF-IDF of each, of unit length for each show.</param>
public sealed record MetadataField(
    string Name, int Size, IReadOnlyList<int> Starts, IReadOnlyList<int> Rows, IReadOnlyList<float> Weights)
{
    /// <summary>What each row stands for; empty where a bundle does not say.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>Checks that the field describes so many shows.</summary>
    /// <exception cref="ArgumentException">It does not; the message names the part.</exception>
    internal void Validate(int shows)
    {
        Check(Size >= 1, nameof(Size), $"{Size}; must be at least 1");
        Check(Starts.Count == shows + 1, nameof(Starts), $"{Starts.Count} numbers; {shows} shows need {shows + 1}");
        Check(Weights.Count == Rows.Count, nameof(Weights), $"{Weights.Count} numbers; must be as many as the {Rows.Count} rows");
        Check(
            Starts[0] == 0 && Starts[^1] == Rows.Count && Starts.Zip(Starts.Skip(1)).All(p => p.First <= p.Second),
            nameof(Starts),
            $"must rise from 0 to {Rows.Count}");
        Check(Rows.All(r => r >= 0 && r < Size), nameof(Rows), $"must be from 0 to below {Size}");
    }

    private void Check(bool isGood, string part, string problem)
    {
        if (!isGood)
        {
            throw new ArgumentException($"metadata '{Name}', {part}: {problem}", part);
        }
    }
}
