using System.CommandLine;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model.Bundles;
using Nearline.Model.Evaluation;
using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline evaluate</c>: how good a bundle is, beside baselines, by the same protocol in the same run.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var models = CommonOptions.Models();
        var version = new Option<string?>("--model") { Description = "the bundle's version, or none: baselines only; default: the active one" };
        var baselines = new Option<string>("--baselines")
        {
            Description = $"what to compare with, of {string.Join(",", Baselines.Names)}",
            DefaultValueFactory = _ => string.Join(',', Baselines.Usual),
        };
        var unfiltered = new Option<bool>("--unfiltered")
        {
            Description = "let sets contain watched shows, as published figures on the Amazon sets do",
        };
        var validation = new Option<bool>("--validation")
        {
            Description = "measure on the validation targets, which settings are chosen by, instead of the test targets",
        };
        var view = new Option<ScoringView>("--view")
        {
            Description = "served: rank as sets are served; cg: by the CG channel alone, as new shows are compared with one another",
        };
        var protocol = CommonOptions.Protocol();
        var json = new Option<bool>("--json") { Description = "print all figures, a JSON line for each model and group of targets" };
        var device = CommonOptions.Device();
        var backend = CommonOptions.Backend();
        var precision = CommonOptions.Precision();
        var command = new Command("evaluate", "evaluate a bundle on held-out watches")
        {
            data, name, models, version, protocol, baselines, unfiltered, validation, view, json, device, backend, precision,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var opponents = Baselines.Parse(parsed.GetRequiredValue(baselines));
            var chosen = ModelPath(parsed.GetRequiredValue(models), parsed.GetValue(version));
            if (chosen is null && opponents.Count == 0)
            {
                throw new CliException("--model is none and --baselines is empty: nothing to evaluate");
            }

            var dataset = await DatasetInput.ReadAsync(
                parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            var split = Protocols.Split(dataset, parsed.GetRequiredValue(protocol));
            if (parsed.GetValue(validation))
            {
                split = split with { Test = split.Validation };
            }

            var options = EvaluationOptions.Full(split) with { LeaveOutWatched = !parsed.GetValue(unfiltered) };
            var evaluations = await Steps.RunAsync("evaluate", progress =>
            {
                var evaluated = new List<NamedEvaluation>();
                if (chosen is not null)
                {
                    using var retriever = M5Retriever.Load(
                        chosen,
                        parsed.GetRequiredValue(device),
                        backend: new BackendOptions { Backend = parsed.GetRequiredValue(backend) },
                        precision: parsed.GetValue(precision));
                    OptionAssignments.Check("--view", () => retriever.View = parsed.GetValue(view));
                    retriever.Apply(split.Newcomers);
                    evaluated.Add(ModelTraining.Evaluate(retriever.ModelVersion, retriever, split, options, cancellation));
                }

                evaluated.AddRange(opponents.Select(o => Baselines.Evaluate(o, split, options, progress, cancellation)));
                return evaluated;
            }).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                foreach (var line in Evaluations.Lines(evaluations))
                {
                    System.Console.WriteLine(line);
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

    /// <summary>The bundle's directory; null where none is to be evaluated.</summary>
    private static string? ModelPath(string directory, string? version) =>
        version == "none"
            ? null
            : Path.Combine(directory, version ?? new BundleStore(directory).ActiveVersion
                ?? throw new CliException(
                    $"--models is '{directory}', where no bundle is active; train one, name it with --model, or say --model none"));
}
