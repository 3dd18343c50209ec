using System.CommandLine;
using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Serving;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline neighbours</c>: the shows nearest to one by content, by who watches them, and by both.</summary>
internal static class NeighboursCommand
{
    public static Command Create()
    {
        var show = new Argument<string>("SHOW") { Description = "a show's id, or a part of a title that no other has" };
        var data = CommonOptions.Data(required: false);
        data.Description = "directory of the data, whose cast, directors and brands are printed beside the tags that the bundle knows";
        var name = CommonOptions.Dataset();
        var models = CommonOptions.Models();
        var version = new Option<string?>("--model") { Description = "the bundle's version; default: the active one" };
        var top = new Option<int>("--top") { Description = "shows of each kind", DefaultValueFactory = _ => 10 };
        var command = new Command("neighbours", "print the shows nearest to a show by CG, by ID and by both")
        {
            show, data, name, models, version, top,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(top) < 1)
            {
                throw new CliException($"--top is {parsed.GetValue(top)}; it must be at least 1");
            }

            var store = new BundleStore(parsed.GetRequiredValue(models));
            var bundle = store.Open(parsed.GetValue(version) ?? store.ActiveVersion
                ?? throw new CliException($"--models is '{parsed.GetValue(models)}', where no bundle is active; train one, or name it with --model"));
            var neighbours = ShowNeighbours.Of(bundle);
            var row = ShowSearch.Find(neighbours.Shows, parsed.GetRequiredValue(show));
            var catalog = parsed.GetValue(data) is { } directory
                ? (await DatasetInput.ReadAsync(directory, parsed.GetValue(name), cancellation).ConfigureAwait(false)).Shows
                    .ToDictionary(s => s.Id, StringComparer.Ordinal)
                : null;
            foreach (var line in Lines(neighbours, row, parsed.GetValue(top), catalog))
            {
                AnsiConsole.WriteLine(line);
            }

            return 0;
        });
        return command;
    }

    /// <summary>What the command prints.</summary>
    internal static IEnumerable<string> Lines(
        ShowNeighbours neighbours, int show, int top, IReadOnlyDictionary<string, Show>? catalog)
    {
        yield return Describe(neighbours, show, catalog);
        foreach (var part in neighbours.Parts)
        {
            yield return part switch
            {
                RowPart.Cg => "nearest by CG, what they are:",
                RowPart.Id => "nearest by ID, who watches them:",
                _ => "nearest by both:",
            };
            var nearest = neighbours.Nearest(show, part, top);
            if (nearest.Count == 0)
            {
                yield return "  none: its embedding is zero";
            }

            foreach (var (other, cosine) in nearest)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"  {cosine,6:F3}  {Describe(neighbours, other, catalog)}");
            }
        }
    }

    private static string Describe(ShowNeighbours neighbours, int row, IReadOnlyDictionary<string, Show>? catalog)
    {
        var item = neighbours.Shows[row];
        var (tags, people) = catalog?.GetValueOrDefault(item.Id) is { } show
            ? (show.Tags, (IEnumerable<string>)[.. show.Cast, .. show.Directors, .. show.Brands])
            : (neighbours.TagsOf(row), []);
        var parts = new[] { item.Title.Length > 0 ? $"{item.Title} ({item.Id})" : item.Id, string.Join(", ", tags), string.Join(", ", people) };
        return string.Join("  |  ", parts.Where(p => p.Length > 0));
    }
}
