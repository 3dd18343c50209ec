using System.CommandLine;
using System.Globalization;
using Nearline.Model.Index;

namespace Nearline.Bench.Swap;

/// <summary>
/// <c>nearline-bench swap</c>: serves an index, then answers each line on its input with a line of JSON: <c>with
/// SECONDS</c> and <c>without SECONDS</c> give the latencies of batches with and without swaps.
/// </summary>
internal static class SwapCommand
{
    public static Command Create()
    {
        var count = new Option<int>("--count") { Description = "rows", DefaultValueFactory = _ => 70_000 };
        var dimension = new Option<int>("--dimension") { Description = "values a row", DefaultValueFactory = _ => 256 };
        var limit = new Option<int>("--limit") { Description = "rows a query", DefaultValueFactory = _ => 300 };
        var batch = new Option<int>("--batch") { Description = "queries that come together", DefaultValueFactory = _ => 16 };
        var rate = new Option<double>("--rate") { Description = "queries a second", DefaultValueFactory = _ => 2000 };
        var every = new Option<double>("--every") { Description = "seconds between swaps, the building apart", DefaultValueFactory = _ => 2 };
        var backend = new Option<string>("--backend") { Description = "of the index", DefaultValueFactory = _ => IndexBackends.Auto };
        var command = new Command("swap", "search an index while it is swapped") { count, dimension, limit, batch, rate, every, backend };
        command.SetAction(parsed =>
        {
            using var side = new SwapSide(new SwapOptions(
                parsed.GetValue(count),
                parsed.GetValue(dimension),
                parsed.GetValue(limit),
                parsed.GetValue(batch),
                parsed.GetValue(rate),
                TimeSpan.FromSeconds(parsed.GetValue(every)),
                parsed.GetRequiredValue(backend)));
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line.Split(' ') switch
                {
                    ["with", var seconds] => side.Round(true, double.Parse(seconds, CultureInfo.InvariantCulture)),
                    ["without", var seconds] => side.Round(false, double.Parse(seconds, CultureInfo.InvariantCulture)),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be with or without, and seconds"),
                });
            }
        });
        return command;
    }
}
