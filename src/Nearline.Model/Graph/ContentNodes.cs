using System.Globalization;
using Nearline.Model.Data;

namespace Nearline.Model.Graph;

/// <summary>What the metadata of a show join it to.</summary>
internal static class ContentNodes
{
    /// <summary>The nodes that a show is joined to, each as "kind:VALUE", with the weights of the edges.</summary>
    public static Dictionary<string, float> Of(Show show)
    {
        var nodes = new Dictionary<string, float>(StringComparer.Ordinal);
        void Join(string kind, IEnumerable<string> values, float weight)
        {
            string[] distinct = [.. values.Where(v => v.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase)];
            foreach (var value in distinct)
            {
                nodes[$"{kind}:{value.ToUpperInvariant()}"] = weight / MathF.Sqrt(distinct.Length);
            }
        }

        Join("tag", show.Tags, 1);
        Join("cast", show.Cast, 0.7f);
        Join("director", show.Directors, 0.7f);
        Join("brand", show.Brands, 0.5f);
        Join("text", NGrams($"{show.Title} {show.Description}", 4), 0.5f);
        Join("category", [show.Category.ToString()], 0.5f);
        if (show.ReleaseYear is { } year)
        {
            Join("year", [year.ToString(CultureInfo.InvariantCulture)], 0.3f);
            Join("era", [(year / 5).ToString(CultureInfo.InvariantCulture)], 0.5f);
        }

        return nodes;
    }

    /// <summary>The runs of so many letters in the words of a text, each word marked at both ends.</summary>
    public static IEnumerable<string> NGrams(string text, int length)
    {
        foreach (var word in text.Split([' ', ',', '.', ':', ';', '(', ')', '"', '\''], StringSplitOptions.RemoveEmptyEntries))
        {
            var padded = $"<{word}>";
            for (var i = 0; i + length <= padded.Length; i++)
            {
                yield return padded.Substring(i, length);
            }
        }
    }
}
