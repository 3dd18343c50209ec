using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Nearline.Model.Evaluation;

namespace Nearline.Cli.Comparing;

/// <summary>A comparison as the JSON file that claimed figures refer to; its fields: docs/evaluation.md.</summary>
internal static class ComparisonFile
{
    private const int Digits = 5;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly (string Name, Func<ScenarioMetrics, double> Of)[] Figures =
    [
        ("r5", m => m.Recall5), ("r10", m => m.Recall10), ("r20", m => m.Hr20), ("r100", m => m.Hr100),
        ("n5", m => m.Ndcg5), ("n10", m => m.Ndcg10), ("n20", m => m.Ndcg20), ("n100", m => m.Ndcg100),
        ("mrr", m => m.Mrr), ("debiased_hr20", m => m.DebiasedHr20 ?? 0), ("coverage20", m => m.Coverage20), ("coverage100", m => m.Coverage100),
    ];

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">Where.</param>
    /// <param name="header">What holds for all lines.</param>
    /// <param name="rows">The models.</param>
    /// <param name="reference">What differences are to; null: none are given.</param>
    /// <param name="failed">Runs without a result.</param>
    public static void Write(
        string path, ComparisonHeader header, IReadOnlyList<ComparedRow> rows, ComparedRow? reference, IReadOnlyList<FinishedRun> failed)
    {
        var file = new JsonObject
        {
            ["commit"] = header.Commit,
            ["date"] = header.Date.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["cores"] = Environment.ProcessorCount,
            ["threads"] = header.Threads,
            ["data_fingerprint"] = header.Fingerprint,
            ["lines"] = new JsonArray([.. rows.Select(row => Line(row, header, reference))]),
        };
        if (failed.Count > 0)
        {
            file["failed"] = new JsonArray(
                [.. failed.Select(f => (JsonNode)new JsonObject { ["model"] = f.Run.Model.Label, ["seed"] = f.Run.Seed, ["error"] = f.Error })]);
        }

        var temporary = path + ".part";
        File.WriteAllText(temporary, file.ToJsonString(Indented) + "\n");
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>A model's line.</summary>
    internal static JsonNode Line(ComparedRow row, ComparisonHeader header, ComparedRow? reference)
    {
        var line = new JsonObject
        {
            ["bench"] = "quality",
            ["protocol"] = header.Protocol,
            ["split"] = header.Split,
            ["data"] = header.Data,
            ["model"] = row.Model.Label,
            ["entry"] = row.Model.Entry,
            ["seeds"] = row.Runs.Count,
            ["targets"] = row.Runs[0].Filtered.Ranks.Length,
        };
        Put(line, "hr20", row.Figure(r => r.Filtered.Average.Hr20));
        Put(line, "hr100", row.Figure(r => r.Filtered.Average.Hr100));
        Put(line, "r10", row.Figure(r => r.Filtered.Average.Recall10));
        Put(line, "ndcg10", row.Figure(r => r.Filtered.Average.Ndcg10));
        Put(line, "validation_hr20", row.Figure(r => r.Validation.Hr20));
        Put(line, "validation_ndcg10", row.Figure(r => r.Validation.Ndcg10));
        if (reference is not null && reference.Model.Label != row.Model.Label)
        {
            var to = row.To(reference);
            line["to_reference"] = new JsonObject
            {
                ["reference"] = reference.Model.Label,
                ["hr20"] = Round(to.Absolute),
                ["hr20_low"] = Round(to.Interval.Low),
                ["hr20_high"] = Round(to.Interval.High),
                ["hr20_relative"] = to.Relative is { } relative ? Round(relative) : null,
            };
        }

        line["per_scenario"] = Groups(row, r => r.Filtered.Scenarios);
        line["per_category"] = Groups(row, r => r.Filtered.Categories);
        line["filtered"] = All(row, r => r.Filtered.Average);
        if (row.Runs.All(r => r.Unfiltered is not null))
        {
            line["unfiltered"] = All(row, r => r.Unfiltered!.Average);
        }

        foreach (var (name, report) in new (string, Func<RunResult, RankedReport?>)[]
        {
            ("known", r => r.Known), ("by_cg", r => r.ByCg),
        })
        {
            if (row.Runs.All(r => report(r) is not null))
            {
                line[name] = All(row, r => report(r)!.Average);
            }
        }

        line["train_seconds"] = Math.Round(row.Runs.Average(r => r.TrainSeconds), 1);
        line["runs"] = new JsonArray([.. row.Runs.Select(Run)]);
        return line;
    }

    private static JsonNode Run(RunResult run) => new JsonObject
    {
        ["seed"] = run.Seed,
        ["commit"] = run.Commit,
        ["hr20"] = Round(run.Filtered.Average.Hr20),
        ["hr100"] = Round(run.Filtered.Average.Hr100),
        ["ndcg10"] = Round(run.Filtered.Average.Ndcg10),
        ["validation_hr20"] = Round(run.Validation.Hr20),
        ["validation_ndcg10"] = Round(run.Validation.Ndcg10),
        ["train_seconds"] = Math.Round(run.TrainSeconds, 1),
        ["epochs"] = run.Epochs,
        ["best_epoch"] = run.BestEpoch,
    };

    private static JsonObject Groups(ComparedRow row, Func<RunResult, IReadOnlyList<ScenarioMetrics>> groups)
    {
        var all = new JsonObject();
        foreach (var (place, group) in groups(row.Runs[0]).Index())
        {
            var figures = new JsonObject { ["targets"] = group.Targets };
            Put(figures, "hr20", row.Figure(r => groups(r)[place].Hr20));
            Put(figures, "hr100", row.Figure(r => groups(r)[place].Hr100));
            Put(figures, "ndcg10", row.Figure(r => groups(r)[place].Ndcg10));
            all[group.Scenario] = figures;
        }

        return all;
    }

    private static JsonObject All(ComparedRow row, Func<RunResult, ScenarioMetrics> average)
    {
        var all = new JsonObject();
        foreach (var (name, of) in Figures)
        {
            Put(all, name, row.Figure(r => of(average(r))));
        }

        return all;
    }

    private static void Put(JsonObject to, string name, Spread spread)
    {
        to[name] = Round(spread.Mean);
        if (spread.Deviation is { } deviation)
        {
            to[name + "_sd"] = Round(deviation);
        }
    }

    private static double Round(double value) => Math.Round(value, Digits);
}

/// <summary>What holds for all lines of a comparison.</summary>
/// <param name="Protocol">P1, P2 or P3 where it is one of the fixed ones, else the split's name.</param>
/// <param name="Split">How the data was split.</param>
/// <param name="Data">The data set's name.</param>
/// <param name="Fingerprint">Of the data.</param>
/// <param name="Commit">The checkout's commit; null where there is none.</param>
/// <param name="Date">When.</param>
/// <param name="Threads">CPU threads of a run.</param>
internal sealed record ComparisonHeader(
    string Protocol, string Split, string Data, string Fingerprint, string? Commit, DateTimeOffset Date, int Threads);
