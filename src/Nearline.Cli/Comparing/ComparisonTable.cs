using System.Globalization;
using Nearline.Model.Evaluation;
using Spectre.Console;

namespace Nearline.Cli.Comparing;

/// <summary>Prints a comparison: a row a model, the best of a column in bold.</summary>
internal static class ComparisonTable
{
    /// <summary>
    /// With several scenarios in the form of the M5 paper's table 2, with one as published tables on the Amazon sets,
    /// once for sets without watched shows and, where they were measured, once with them.
    /// </summary>
    public static void Print(IReadOnlyList<ComparedRow> rows, ComparedRow reference)
    {
        var scenarios = rows[0].Runs[0].Filtered.Scenarios;
        var columns = new List<(string Title, Func<RunResult, double> Of)>();
        if (scenarios.Count > 1)
        {
            foreach (var (place, scenario) in scenarios.Index())
            {
                columns.Add(($"{scenario.Scenario}\nHR@20", r => r.Filtered.Scenarios[place].Hr20));
                columns.Add(("\n@100", r => r.Filtered.Scenarios[place].Hr100));
            }

            columns.Add(("average\nHR@20", r => r.Filtered.Average.Hr20));
            columns.Add(("\n@100", r => r.Filtered.Average.Hr100));
            columns.Add(("\nNDCG@10", r => r.Filtered.Average.Ndcg10));
        }
        else
        {
            columns.AddRange(OfOne("", r => r.Filtered.Average));
            if (rows.All(row => row.Runs.All(r => r.Unfiltered is not null)))
            {
                columns.AddRange(OfOne("watched too\n", r => r.Unfiltered!.Average));
            }
        }

        columns.Add(("validation\nHR@20", r => r.Validation.Hr20));
        AnsiConsole.Write(Table(rows, reference, columns));
    }

    private static IEnumerable<(string Title, Func<RunResult, double> Of)> OfOne(string before, Func<RunResult, ScenarioMetrics> average) =>
    [
        ($"{before}R@5", r => average(r).Recall5),
        ($"{before}R@10", r => average(r).Recall10),
        ($"{before}NDCG@10", r => average(r).Ndcg10),
        ($"{before}R@20", r => average(r).Hr20),
        ($"{before}R@100", r => average(r).Hr100),
    ];

    private static Table Table(
        IReadOnlyList<ComparedRow> rows, ComparedRow reference, List<(string Title, Func<RunResult, double> Of)> columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("model").AddColumn("seeds");
        foreach (var (title, _) in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(title)).RightAligned().NoWrap());
        }

        table.AddColumn(new TableColumn($"HR@20 to\n{Markup.Escape(reference.Model.Label)}").RightAligned());
        table.AddColumn(new TableColumn("95 %").RightAligned());
        double[] best = [.. columns.Select(c => rows.Max(row => row.Figure(c.Of).Mean))];
        foreach (var row in rows)
        {
            var cells = columns.Select((column, i) => Cell(row.Figure(column.Of), best[i]));
            var to = row == reference ? null : row.To(reference);
            table.AddRow(
            [
                Markup.Escape(row.Model.Label),
                row.Model.IsSeeded ? row.Runs.Count.ToString(CultureInfo.InvariantCulture) : "",
                .. cells,
                to?.Relative?.ToString("+0.0 %;-0.0 %", CultureInfo.InvariantCulture) ?? "",
                to is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{to.Interval.Low:+.0000;-.0000} to {to.Interval.High:+.0000;-.0000}"),
            ]);
        }

        return table;
    }

    private static string Cell(Spread spread, double best)
    {
        var mean = spread.Mean.ToString("F4", CultureInfo.InvariantCulture);
        return (spread.Mean >= best ? $"[bold]{mean}[/]" : mean) +
            (spread.Deviation is { } sd ? sd.ToString(" ±.0000", CultureInfo.InvariantCulture) : "");
    }
}
