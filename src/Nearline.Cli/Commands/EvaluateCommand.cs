using System.CommandLine;
using System.Text.Json;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline evaluate</c>: how good a bundle is, beside popularity, by the same protocol in the same run.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var models = CommonOptions.Models();
        var version = new Option<string?>("--model") { Description = "the bundle's version; default: the active one" };
        var protocol = CommonOptions.Protocol();
        var json = new Option<bool>("--json") { Description = "print a JSON line for each model and scenario" };
        var device = CommonOptions.Device();
        var command = new Command("evaluate", "evaluate a bundle on held-out watches")
        {
            data, name, models, version, protocol, json, device,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var dataset = await DatasetInput.ReadAsync(
                parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            var split = Protocols.Split(dataset, parsed.GetRequiredValue(protocol));
            var directory = parsed.GetRequiredValue(models);
            var chosen = parsed.GetValue(version) ?? new BundleStore(directory).ActiveVersion
                ?? throw new CliException($"--models is '{directory}', where no bundle is active; train one or name it with --model");
            var evaluations = await Steps.RunAsync("evaluate", _ =>
            {
                using var retriever = M5Retriever.Load(Path.Combine(directory, chosen), parsed.GetRequiredValue(device));
                return ModelTraining.Evaluate(chosen, retriever, split, cancellation);
            }).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                foreach (var (model, report) in evaluations)
                {
                    foreach (var metrics in report.Scenarios.Append(report.Average))
                    {
                        System.Console.WriteLine(JsonSerializer.Serialize(new { model, metrics }, JsonSerializerOptions.Web));
                    }
                }
            }
            else
            {
                Evaluations.Print(evaluations);
            }

            return 0;
        });
        return command;
    }
}
