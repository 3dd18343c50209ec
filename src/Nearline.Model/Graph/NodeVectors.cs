namespace Nearline.Model.Graph;

/// <summary>A vector for each of some shows, as an encoder of texts or pictures made them; scaled to unit length.</summary>
public sealed class NodeVectors
{
    private readonly float[] values;

    /// <param name="ids">The shows, each once.</param>
    /// <param name="width">Numbers a vector.</param>
    /// <param name="values">[shows, width], row-major.</param>
    /// <exception cref="ArgumentException">An id comes twice, a number is not finite, or the counts do not fit.</exception>
    public NodeVectors(IReadOnlyList<string> ids, int width, float[] values)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(values);
        if (width < 1)
        {
            throw new ArgumentException($"width: {width}; must be at least 1", nameof(width));
        }

        if (values.LongLength != (long)ids.Count * width)
        {
            throw new ArgumentException($"values: {values.Length} numbers; {ids.Count} ids of width {width} need {(long)ids.Count * width}", nameof(values));
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        if (ids.FirstOrDefault(id => !known.Add(id)) is { } twice)
        {
            throw new ArgumentException($"ids: '{twice}': given twice", nameof(ids));
        }

        (Ids, Width, this.values) = (ids, width, (float[])values.Clone());
        for (var i = 0; i < ids.Count; i++)
        {
            var row = this.values.AsSpan(i * width, width);
            if (row.IndexOfAnyExceptInRange(-float.MaxValue, float.MaxValue) is var at and >= 0)
            {
                throw new ArgumentException($"values: {row[at]} in column {at} of '{ids[i]}'; must be finite", nameof(values));
            }

            ToUnitLength(row);
        }
    }

    /// <summary>The shows.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>Numbers a vector.</summary>
    public int Width { get; }

    /// <summary>All vectors, [shows, width], row-major.</summary>
    internal ReadOnlySpan<float> Values => values;

    /// <summary>Reads a file: NAME.npy with NAME.ids.txt beside it, or NAME.safetensors; docs/content-graph.md has the formats.</summary>
    /// <exception cref="InvalidDataException">The file is not in the format; it and the fault are named.</exception>
    public static NodeVectors Read(string path) => VectorFile.Read(path);

    /// <summary>One vector.</summary>
    public ReadOnlySpan<float> Row(int row) => values.AsSpan(row * Width, Width);

    /// <summary>Scales a vector; false when it is zero.</summary>
    internal static bool ToUnitLength(Span<float> vector)
    {
        var squares = 0.0;
        foreach (var value in vector)
        {
            squares += (double)value * value;
        }

        foreach (ref var value in vector)
        {
            value = squares > 0 ? (float)(value / Math.Sqrt(squares)) : 0;
        }

        return squares > 0;
    }
}
