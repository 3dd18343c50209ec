using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Features;

/// <summary>
/// Shows that came after the model, as its features know them: each with a category, with those of its tags that the
/// model knows, and with a row past the show tables. Immutable.
/// </summary>
public sealed class LiveShows
{
    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);
    private readonly ShowCategory[] categories;
    private readonly int[][] tags;

    /// <param name="schema">The model's schema.</param>
    /// <param name="shows">The shows, none of them in the schema, each once; show k has row ShowRows + k.</param>
    public LiveShows(FeatureSchema schema, IReadOnlyList<Show> shows)
    {
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(shows);
        var rows = shows.Count == 0
            ? []
            : schema.Tags.Index().ToDictionary(t => t.Item.Value, t => t.Index, StringComparer.Ordinal);
        categories = [.. shows.Select(s => s.Category)];
        tags = [.. shows.Select(s => s.Tags.Distinct(StringComparer.Ordinal).Where(rows.ContainsKey).Select(t => rows[t]).ToArray())];
        for (var k = 0; k < shows.Count; k++)
        {
            places.Add(shows[k].Id, k);
        }
    }

    /// <summary>How many.</summary>
    public int Count => categories.Length;

    /// <summary>A show's place among them; -1 for a show that is none of them.</summary>
    internal int PlaceOf(string showId) => places.GetValueOrDefault(showId, -1);

    internal ShowCategory CategoryOf(int place) => categories[place];

    /// <summary>Indices into the schema's tags.</summary>
    internal ReadOnlySpan<int> TagsOf(int place) => tags[place];
}
