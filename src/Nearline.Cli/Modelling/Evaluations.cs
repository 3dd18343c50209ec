using System.Globalization;
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
        table.AddColumns("scenario", "model", "targets", "HR@20", "HR@100", "NDCG@10");
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
                    metrics.Hr100.ToString("F4", CultureInfo.InvariantCulture),
                    metrics.Ndcg10.ToString("F4", CultureInfo.InvariantCulture));
            }
        }

        AnsiConsole.Write(table);
    }
}
