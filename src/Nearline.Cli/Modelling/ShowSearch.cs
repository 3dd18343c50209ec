using Nearline.Cli.Console;
using Nearline.Model.Serving;

namespace Nearline.Cli.Modelling;

/// <summary>Finds a show by what a person types.</summary>
internal static class ShowSearch
{
    private const int Shown = 5;

    /// <summary>The row of the show with an id, or with a title that alone is, or contains, the text, in any case.</summary>
    /// <exception cref="CliException">None is, or several are; the message names some.</exception>
    public static int Find(IReadOnlyList<CatalogItem> shows, string text)
    {
        int[] Where(Func<CatalogItem, bool> fits) => [.. shows.Index().Where(s => fits(s.Item)).Select(s => s.Index)];
        var sought = text.Trim();
        if (sought.Length == 0)
        {
            throw new CliException("show '': empty; name an id or a part of a title");
        }

        var byId = Where(s => s.Id == sought);
        if (byId.Length == 1)
        {
            return byId[0];
        }

        var exact = Where(s => s.Title.Equals(sought, StringComparison.OrdinalIgnoreCase));
        if (exact.Length == 1)
        {
            return exact[0];
        }

        var containing = Where(s => s.Title.Contains(sought, StringComparison.OrdinalIgnoreCase));
        return containing.Length switch
        {
            1 => containing[0],
            0 => throw new CliException($"show '{text}': neither an id nor a part of a title; near are {Names(shows, Near(shows, sought))}"),
            _ => throw new CliException(
                $"show '{text}': a part of {containing.Length} titles; name one of {Names(shows, containing)}{(containing.Length > Shown ? ", ..." : "")}"),
        };
    }

    private static string Names(IReadOnlyList<CatalogItem> shows, IEnumerable<int> rows) =>
        string.Join(", ", rows.Take(Shown).Select(row => shows[row].Title.Length > 0 ? $"{shows[row].Id} ({shows[row].Title})" : shows[row].Id));

    /// <summary>By the share of letter pairs in common, of title or id.</summary>
    private static IEnumerable<int> Near(IReadOnlyList<CatalogItem> shows, string text)
    {
        var sought = Pairs(text);
        return shows.Index().Select(s => (s.Index, Likeness: Math.Max(Dice(sought, Pairs(s.Item.Title)), Dice(sought, Pairs(s.Item.Id)))))
            .OrderByDescending(s => s.Likeness).ThenBy(s => s.Index).Select(s => s.Index);
    }

    private static HashSet<(char, char)> Pairs(string text)
    {
        var upper = $" {text.ToUpperInvariant()} ";
        return [.. upper.Zip(upper.Skip(1))];
    }

    private static double Dice(HashSet<(char, char)> a, HashSet<(char, char)> b) => 2.0 * a.Count(b.Contains) / (a.Count + b.Count);
}
