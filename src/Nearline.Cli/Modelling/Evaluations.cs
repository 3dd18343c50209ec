using System.Globalization;
using System.Text.Json;
using Nearline.Model.Evaluation;
using Spectre.Console;

namespace Nearline.Cli.Modelling;

/// <summary>An evaluation and what it is of, such as "M5" or "popularity".</summary>
/// <param name="Name">What was evaluated.</param>
/// <param name="Report">The figures.</param>
internal sealed record NamedEvaluation(string Name, EvaluationReport Report);

/// <summary>Prints evaluations side by side.</summary>
internal static class Evaluations
{
    public static void Print(IReadOnlyList<NamedEvaluation> evaluations)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("scenario", "model", "targets", "HR@20", "95 %", "HR@100", "NDCG@10");
        foreach (var scenario in evaluations[0].Report.Scenarios.Select(s => s.Scenario).Append("average"))
        {
            foreach (var (name, report) in evaluations)
            {
                var metrics = scenario == "average" ? report.Average : report.Scenarios.Single(s => s.Scenario == scenario);
                table.AddRow(
                    Markup.Escape(scenario),
                    name,
                    metrics.Targets.ToString("N0", CultureInfo.InvariantCulture),
                    metrics.Hr20.ToString("F4", CultureInfo.InvariantCulture),
                    metrics.Intervals is { } of
                        ? string.Create(CultureInfo.InvariantCulture, $"{of.Hr20.Low:F4} to {of.Hr20.High:F4}")
                        : "",
                    metrics.Hr100.ToString("F4", CultureInfo.InvariantCulture),
                    metrics.Ndcg10.ToString("F4", CultureInfo.InvariantCulture));
            }
        }

        AnsiConsole.Write(table);
    }

    /// <summary>All figures as JSON: a line for each model and scenario, average, category, and all targets alike.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<NamedEvaluation> evaluations)
    {
        foreach (var (model, report) in evaluations)
        {
            var rows = report.Scenarios.Select(metrics => (Group: "scenario", Metrics: metrics))
                .Append(("average", report.Average))
                .Concat(report.Categories.Select(metrics => ("category", metrics)))
                .Append(("all", report.All));
            foreach (var (group, metrics) in rows)
            {
                yield return JsonSerializer.Serialize(new { model, group, metrics }, JsonSerializerOptions.Web);
            }
        }
    }
}
