using System.CommandLine;
using System.Globalization;
using Nearline.Model.Index;

namespace Nearline.Bench.Index;

/// <summary>
/// <c>nearline-bench index</c>: builds an index of a case, then answers each line on its input with a line of JSON:
/// <c>check BATCH all|pool|own</c> writes what is found, <c>round BATCH all|pool|own</c> gives the time of all queries.
/// </summary>
internal static class IndexCommand
{
    public static Command Create()
    {
        var directory = new Option<string>("--case") { Description = "directory of the case", Required = true };
        var dimension = new Option<int>("--dimension") { Description = "values a row", Required = true };
        var limit = new Option<int>("--limit") { Description = "rows a query", DefaultValueFactory = _ => 300 };
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 1 };
        var backend = new Option<string>("--backend") { Description = "exact-cpu or exact-torch", DefaultValueFactory = _ => IndexBackends.ExactCpu };
        var device = new Option<string>("--device") { Description = "of exact-torch: auto, cpu or cuda", DefaultValueFactory = _ => "auto" };
        var command = new Command("index", "search a case that peers search too") { directory, dimension, limit, threads, backend, device };
        command.SetAction(parsed =>
        {
            var side = new IndexSide(
                parsed.GetRequiredValue(directory),
                parsed.GetRequiredValue(dimension),
                parsed.GetRequiredValue(limit),
                parsed.GetRequiredValue(threads),
                parsed.GetRequiredValue(backend),
                parsed.GetRequiredValue(device));
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line.Split(' ') switch
                {
                    ["check", var batch, var rows] => side.Check(int.Parse(batch, CultureInfo.InvariantCulture), rows),
                    ["round", var batch, var rows] => side.Round(int.Parse(batch, CultureInfo.InvariantCulture), rows),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be check or round, a batch size, and all, pool or own"),
                });
            }
        });
        return command;
    }
}
