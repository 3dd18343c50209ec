using Nearline.Cli.Console;
using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using Nearline.Model.Training.Runs;
using Spectre.Console;

namespace Nearline.Cli.Modelling;

/// <summary>A bundle that was trained, and how good it is.</summary>
/// <param name="Version">The bundle's version.</param>
/// <param name="Evaluations">M5 first, then the baselines.</param>
internal sealed record ModelTrainingResult(string Version, IReadOnlyList<NamedEvaluation> Evaluations)
{
    /// <summary>M5 on the test targets.</summary>
    public EvaluationReport M5 => Evaluations[0].Report;

    /// <summary>The popularity list on the same targets.</summary>
    public EvaluationReport Popularity => Evaluations[1].Report;
}

/// <summary>Trains M5, evaluates it beside popularity, and writes the bundle.</summary>
internal static class ModelTraining
{
    /// <summary>Shows from which on a graph may be faster than an exact search.</summary>
    public const int LargeCatalog = 300_000;

    public static async Task<ModelTrainingResult> RunAsync(
        Split split, ModelTrainingOptions options, CancellationToken cancellationToken)
    {
        var (config, training) = Configure(options);
        using var begun = options.Run is { } run ? RunFolder.Create(run.Path, split, config, training, run.Setting) : null;
        var folder = options.Resume ?? begun;
        if (folder is not null)
        {
            AnsiConsole.WriteLine($"run {folder.Path}");
        }

        var start = new TrainingStart
        {
            Folder = folder,
            From = options.WarmStart is { } version ? WarmStart.Of(new BundleStore(options.Models).Open(version)) : null,
            Graph = options.Graph,
            Started = report => AnsiConsole.WriteLine($"  {report}"),
        };
        var variant = M5Variants.ByName(config.Variant);
        using var model = await Steps.RunAsync($"train {config.Name}{(variant.Name == M5Variants.Default ? "" : $", {variant.PaperName}")}", progress => Trainer.Train(
            split, config, training, start, new EpochLines(progress), cancellationToken)).ConfigureAwait(false);

        var evaluations = await Steps.RunAsync("evaluate", _ =>
        {
            using var retriever = model.CreateServingRetriever();
            retriever.Apply(split.Newcomers);
            return Evaluate("M5", retriever, split, cancellationToken);
        }).ConfigureAwait(false);

        var bundle = M5Bundle.Write(
            model,
            options.Models,
            evaluations[0].Report,
            metrics: Metrics(evaluations),
            withGraph: options.WithGraph ?? model.Items.Count >= LargeCatalog);
        if (options.Activate)
        {
            new BundleStore(options.Models).Activate(bundle.Version, cancellationToken);
        }

        folder?.Finish(new RunResult(
            TimeProvider.System.GetUtcNow(),
            bundle.Version,
            model.Epochs.Count,
            model.BestEpoch,
            model.Epochs.Count == 0 ? 0 : model.Epochs[^1].Elapsed.TotalSeconds,
            bundle.Manifest.Metrics));
        AnsiConsole.WriteLine($"bundle {bundle.Version} in {options.Models}{(options.Activate ? ", active" : "")}");
        return new ModelTrainingResult(bundle.Version, evaluations);
    }

    /// <summary>The model's shape and training that the options ask for.</summary>
    /// <exception cref="CliException">An assignment makes no sense.</exception>
    public static (M5Config Config, TrainingOptions Training) Configure(ModelTrainingOptions options)
    {
        var variant = M5Variants.ByName(options.Variant);
        var (shape, preset) = options.Resume is { Info: var info }
            ? (info.Config, info.Training)
            : (variant.Of(M5Config.ByName(options.Config)), variant.Of(TrainingOptions.ByName(options.Config)));
        return ModelOverrides.Apply(
            shape,
            preset with
            {
                Epochs = options.Epochs ?? preset.Epochs,
                Seed = options.Seed ?? preset.Seed,
                Device = options.Device ?? preset.Device,
            },
            options.Set);
    }

    /// <summary>A retriever's figures on the test targets, then those of the popularity lists by the same protocol.</summary>
    public static IReadOnlyList<NamedEvaluation> Evaluate(
        string name, IRetriever retriever, Split split, CancellationToken cancellationToken)
    {
        var options = EvaluationOptions.Full(split);
        return
        [
            Evaluate(name, retriever, split, options, cancellationToken),
            .. Baselines.Usual.Select(b => Baselines.Evaluate(b, split, options, null, cancellationToken)),
        ];
    }

    /// <summary>A retriever's figures on the test targets.</summary>
    public static NamedEvaluation Evaluate(
        string name, IRetriever retriever, Split split, EvaluationOptions options, CancellationToken cancellationToken) =>
        new(name, Evaluator.Evaluate(retriever, split.Dataset, split.Test, options, cancellationToken));

    private static Dictionary<string, double> Metrics(IReadOnlyList<NamedEvaluation> evaluations) => new(StringComparer.Ordinal)
    {
        ["popularity_hr20"] = evaluations[1].Report.Average.Hr20,
        ["popularity_hr100"] = evaluations[1].Report.Average.Hr100,
    };

    /// <summary>A line an epoch, whatever else the terminal shows.</summary>
    private sealed class EpochLines(IProgress<StepProgress> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            AnsiConsole.WriteLine(EpochLine.Of(value));
            if (AnsiConsole.Profile.Capabilities.Interactive)
            {
                progress.Report(new StepProgress((double)value.Epoch / value.Epochs));
            }
        }
    }
}
