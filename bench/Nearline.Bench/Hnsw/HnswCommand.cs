using System.CommandLine;
using System.Globalization;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Bench.Hnsw;

/// <summary>
/// <c>nearline-bench hnsw</c>: builds an index of a case, then answers each line on its input with a line of JSON:
/// <c>round BREADTH</c> and <c>exact</c> search for every query, <c>masked BREADTH SHARE</c> and <c>masked-exact SHARE</c> with masks, <c>reopen</c>
/// goes on with the index as it is saved and mapped.
/// </summary>
internal static class HnswCommand
{
    public static Command Create()
    {
        var directory = new Option<string>("--case") { Description = "directory of the case", Required = true };
        var dimension = new Option<int>("--dimension") { Description = "values a row", Required = true };
        var limit = new Option<int>("--limit") { Description = "rows a query", DefaultValueFactory = _ => 100 };
        var links = new Option<int>("--links") { Description = "neighbours that a row chooses", DefaultValueFactory = _ => 16 };
        var construction = new Option<int>("--construction") { Description = "rows among which it chooses", DefaultValueFactory = _ => 200 };
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 2 };
        var command = new Command("hnsw", "search a case that peers search too, through a graph") { directory, dimension, limit, links, construction, threads };
        command.SetAction(parsed =>
        {
            using var side = new HnswSide(
                parsed.GetRequiredValue(directory),
                parsed.GetRequiredValue(dimension),
                parsed.GetRequiredValue(limit),
                new HnswSettings
                {
                    Links = parsed.GetRequiredValue(links),
                    ConstructionBreadth = parsed.GetRequiredValue(construction),
                    Threads = parsed.GetRequiredValue(threads),
                    BuildThreads = parsed.GetRequiredValue(threads),
                });
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line.Split(' ') switch
                {
                    ["round", var breadth] => side.Round(int.Parse(breadth, CultureInfo.InvariantCulture)),
                    ["exact"] => side.Exact(),
                    ["masked", var breadth, var share] => side.Masked(
                        int.Parse(breadth, CultureInfo.InvariantCulture), double.Parse(share, CultureInfo.InvariantCulture)),
                    ["masked-exact", var share] => side.MaskedExact(double.Parse(share, CultureInfo.InvariantCulture)),
                    ["reopen"] => side.Reopen(),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be round, exact, masked, masked-exact or reopen"),
                });
            }
        });
        return command;
    }
}
