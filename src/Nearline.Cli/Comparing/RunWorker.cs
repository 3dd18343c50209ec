using System.Diagnostics;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using Nearline.Model.Training;

namespace Nearline.Cli.Comparing;

/// <summary>Fits one model with one seed and measures it.</summary>
internal static class RunWorker
{
    /// <summary>Fits on the split's training part and evaluates on its validation and test targets.</summary>
    /// <param name="model">The entry.</param>
    /// <param name="seed">The seed; null where it makes no difference.</param>
    /// <param name="split">The data.</param>
    /// <param name="settings">How.</param>
    /// <param name="progress">Told how far fitting is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static RunResult Run(
        ComparedModel model, int? seed, Split split, ComparisonSettings settings, IProgress<StepProgress> progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        if (model.Variant is null)
        {
            var options = model.Baseline(seed ?? 0, settings.Threads, settings.Device);
            using var baseline = Baselines.Fit(model.Source, options, split, progress, cancellationToken);
            var measured = Measure(model, seed, baseline, split, settings, clock.Elapsed, cancellationToken);
            return baseline is Sasrec sasrec ? measured with { Epochs = sasrec.Epochs, BestEpoch = sasrec.BestEpoch } : measured;
        }

        var (config, training) = model.M5(seed ?? 0, settings.Threads, settings.Device);
        using var graph = model.UsesGraph && settings.Graph is { } source ? ContentGraph.Load(source.Folder) : null;
        if (graph is not null && split.ColdShows?.FirstOrDefault(graph.Contains) is { } known)
        {
            throw new CliException(
                $"--graph is '{settings.Graph!.Folder}', which knows '{known}', a show that is cold by this protocol; train it with nearline graph --protocol {settings.Protocol}");
        }

        using var trained = Trainer.Train(
            split, config, training, new TrainingStart { Graph = graph }, new EpochLines(progress), cancellationToken);
        var seconds = clock.Elapsed;
        using var retriever = trained.CreateServingRetriever();
        retriever.Apply(split.Newcomers);
        var result = Measure(model, seed, retriever, split, settings, seconds, cancellationToken);
        return result with
        {
            Known = split.ColdShows is null ? null : Report(retriever, split, split.EpochTargets, cancellationToken),
            ByCg = split.ColdShows is null || config.Channels != ModelChannels.IdAndCg ? null : ByCg(),
            Epochs = trained.Epochs.Count,
            BestEpoch = trained.BestEpoch,
        };

        RankedReport ByCg()
        {
            retriever.View = ScoringView.Cg;
            return Report(retriever, split, split.Test, cancellationToken);
        }
    }

    private static RankedReport Report(
        IRetriever retriever, Split split, IReadOnlyList<EvaluationTarget> targets, CancellationToken cancellationToken) =>
        RankedReport.Of(Evaluator.Evaluate(
            retriever, split.Dataset, targets, new EvaluationOptions { Train = split.TrainDataset }, cancellationToken));

    private static RunResult Measure(
        ComparedModel model, int? seed, IRetriever retriever, Split split, ComparisonSettings settings, TimeSpan fitted, CancellationToken cancellationToken)
    {
        var options = new EvaluationOptions { Train = split.TrainDataset };
        EvaluationReport On(IReadOnlyList<EvaluationTarget> targets, bool filtered) => Evaluator.Evaluate(
            retriever, split.Dataset, targets, options with { LeaveOutWatched = filtered }, cancellationToken);
        return new RunResult
        {
            Entry = model.Entry,
            Seed = seed,
            TrainSeconds = fitted.TotalSeconds,
            Validation = On(split.Validation, filtered: true).Average,
            Filtered = RankedReport.Of(On(split.Test, filtered: true)),
            Unfiltered = settings.UnfilteredToo ? RankedReport.Of(On(split.Test, filtered: false)) : null,
        };
    }

    private sealed class EpochLines(IProgress<StepProgress> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress.Report(new StepProgress((double)value.Epoch / value.Epochs, EpochLine.Of(value).Trim()));
    }
}
