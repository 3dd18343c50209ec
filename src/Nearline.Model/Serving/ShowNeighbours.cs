using Nearline.Model.Bundles;
using Nearline.Model.Features;

namespace Nearline.Model.Serving;

/// <summary>Which part of the shows' rows in the index to compare.</summary>
public enum RowPart
{
    /// <summary>E^CG: what the shows are.</summary>
    Cg = 0,

    /// <summary>E^ID: who watches them.</summary>
    Id = 1,

    /// <summary>All of the row: with two channels the mean of both cosines.</summary>
    Both = 2,
}

/// <summary>A show near another.</summary>
/// <param name="Show">The row of the show.</param>
/// <param name="Cosine">Between the two.</param>
public sealed record ShowNeighbour(int Show, double Cosine);

/// <summary>The nearest shows of a bundle's shows, by the rows of its index.</summary>
public sealed class ShowNeighbours
{
    private readonly FeatureSchema schema;
    private readonly ModelChannels channels;
    private readonly float[] rows;
    private readonly int width;
    private readonly int full;

    private ShowNeighbours(M5Config config, FeatureSchema schema, IReadOnlyList<CatalogItem> items, float[] rows)
    {
        (this.schema, Shows, this.rows) = (schema, items, rows);
        (channels, full) = (config.Channels, config.QueryWidth);
        width = config.Width;
        for (var start = 0; start < rows.Length; start += width)
        {
            var part = rows.AsSpan(start, width);
            var length = MathF.Sqrt(VectorMath.Dot(part, part));
            foreach (ref var value in part)
            {
                value = length > 0 ? value / length : 0;
            }
        }
    }

    /// <summary>The shows, in the order of the index's rows.</summary>
    public IReadOnlyList<CatalogItem> Shows { get; }

    /// <summary>The parts that the model's rows have.</summary>
    public IReadOnlyList<RowPart> Parts => channels switch
    {
        ModelChannels.IdAndCg => [RowPart.Cg, RowPart.Id, RowPart.Both],
        ModelChannels.Id => [RowPart.Id],
        _ => [RowPart.Both],
    };

    /// <summary>Reads a bundle's index.</summary>
    /// <exception cref="BundleException">It is broken.</exception>
    public static ShowNeighbours Of(BundleDirectory bundle)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var (config, schema, items, rows) = M5Bundle.Rows(bundle);
        return new ShowNeighbours(config, schema, items, rows);
    }

    /// <summary>A show's tags, as the model knows them.</summary>
    public IReadOnlyList<string> TagsOf(int show) => [.. schema.Shows[show].Tags.Select(t => schema.Tags[t].Value)];

    /// <summary>The shows of the highest cosine, best first; none for a show whose part is zero.</summary>
    /// <param name="show">The row of the show.</param>
    /// <param name="part">What to compare, one of <see cref="Parts"/>.</param>
    /// <param name="count">At most so many.</param>
    /// <exception cref="ArgumentException">The model has no such part.</exception>
    public IReadOnlyList<ShowNeighbour> Nearest(int show, RowPart part, int count)
    {
        if (!Parts.Contains(part))
        {
            throw new ArgumentException($"part: {part}; the model has {string.Join(", ", Parts)}", nameof(part));
        }

        var own = Part(show, part).ToArray();
        return !own.AsSpan().ContainsAnyExcept(0f)
            ? []
            : [
                .. Enumerable.Range(0, Shows.Count).Where(other => other != show)
                    .Select(other => new ShowNeighbour(other, VectorMath.Dot(own, Part(other, part)) * width / (double)own.Length))
                    .OrderByDescending(n => n.Cosine).ThenBy(n => n.Show).Take(count),
            ];
    }

    private ReadOnlySpan<float> Part(int show, RowPart part)
    {
        var row = rows.AsSpan(show * full, full);
        return part switch
        {
            RowPart.Id => row[..width],
            RowPart.Cg => row[width..],
            _ => row,
        };
    }
}
