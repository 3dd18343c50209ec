using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Training;
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
    public static async Task<ModelTrainingResult> RunAsync(
        Split split, ModelTrainingOptions options, CancellationToken cancellationToken)
    {
        var variant = M5Variants.ByName(options.Variant);
        var preset = variant.Of(TrainingOptions.ByName(options.Config));
        var (config, training) = ModelOverrides.Apply(
            variant.Of(M5Config.ByName(options.Config)),
            preset with
            {
                Epochs = options.Epochs ?? preset.Epochs,
                Seed = options.Seed ?? preset.Seed,
                Device = options.Device,
                CsvPath = options.CsvPath,
            },
            options.Set);
        using var model = await Steps.RunAsync($"train {config.Name}{(variant.Name == M5Variants.Default ? "" : $", {variant.PaperName}")}", progress => Trainer.Train(
            split, config, training, new EpochLines(progress), cancellationToken)).ConfigureAwait(false);

        var evaluations = await Steps.RunAsync("evaluate", _ =>
        {
            using var retriever = model.CreateRetriever();
            return Evaluate("M5", retriever, split, cancellationToken);
        }).ConfigureAwait(false);

        var version = M5Bundle.Write(model, options.Models, evaluations[0].Report, metrics: Metrics(evaluations)).Version;
        if (options.Activate)
        {
            new BundleStore(options.Models).Activate(version);
        }

        AnsiConsole.WriteLine($"bundle {version} in {options.Models}{(options.Activate ? ", active" : "")}");
        return new ModelTrainingResult(version, evaluations);
    }

    /// <summary>A retriever's figures on the test targets, then those of the popularity lists by the same protocol.</summary>
    public static IReadOnlyList<NamedEvaluation> Evaluate(
        string name, IRetriever retriever, Split split, CancellationToken cancellationToken)
    {
        var options = EvaluationOptions.Full(split);
        return
        [
            Evaluate(name, retriever, split, options, cancellationToken),
            .. Baselines.Usual.Select(b => Baselines.Evaluate(b, split, options, cancellationToken)),
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

    private sealed class EpochLines(IProgress<StepProgress> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            var validation = value.Validation is { } v
                ? string.Create(CultureInfo.InvariantCulture, $", validation HR@20 {v.Hr20:F4}{(value.IsBest ? " (best)" : "")}")
                : "";
            progress.Report(new StepProgress(
                (double)value.Epoch / value.Epochs,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"epoch {value.Epoch} of {value.Epochs}, loss {value.Loss:F3} (match {value.Match:F3}, MLM {value.Mlm:F3}, dis {value.Disagreement:F3}), {value.SamplesPerSecond:N0} samples/s{validation}")));
        }
    }
}
