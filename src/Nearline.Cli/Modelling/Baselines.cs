using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;

namespace Nearline.Cli.Modelling;

/// <summary>What models are measured against, by the names that commands use.</summary>
internal static class Baselines
{
    /// <summary>Every baseline.</summary>
    public static readonly string[] Names = ["popularity", "popularity-7d", "itemknn", "contentknn", "ease", "sasrec"];

    /// <summary>Those that cost nothing.</summary>
    public static readonly string[] Usual = ["popularity", "popularity-7d"];

    /// <summary>Names from a list with commas.</summary>
    /// <exception cref="CliException">One is not a baseline.</exception>
    public static IReadOnlyList<string> Parse(string list)
    {
        string[] names = [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];
        return names.FirstOrDefault(n => !Names.Contains(n, StringComparer.Ordinal)) is { } unknown
            ? throw new CliException($"--baselines names '{unknown}'; it must be of {string.Join(", ", Names)}")
            : names;
    }

    /// <summary>The settings of a baseline with assignments made, checked: a record of the baseline's own type.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="option">The command line's option that the assignments come from, for errors.</param>
    /// <param name="assignments">Each a name, an equals sign and a value.</param>
    /// <exception cref="CliException">A name is unknown, or a value makes no sense; the message says what would.</exception>
    public static object Settings(string name, string option, IReadOnlyList<string> assignments)
    {
        object settings = name switch
        {
            "itemknn" => new ItemKnnSettings(),
            "contentknn" => new ContentKnnSettings(),
            "ease" => new EaseSettings(),
            "sasrec" => new SasrecOptions(),
            _ => new NoSettings(),
        };
        if (settings is NoSettings)
        {
            return assignments.Count == 0 ? settings : throw new CliException($"{option} is '{assignments[0]}'; {name} has nothing to set");
        }

        new OptionAssignments(settings.GetType()).Set(option, assignments, settings);
        OptionAssignments.Check(option, settings switch
        {
            SasrecOptions of => of.Validate,
            ItemKnnSettings of => of.Validate,
            ContentKnnSettings of => of.Validate,
            EaseSettings of => of.Validate,
            _ => () => { }
            ,
        });
        return settings;
    }

    /// <summary>Fits a baseline on the training part and evaluates it on the test targets.</summary>
    /// <exception cref="CliException">The data is beyond what the baseline can fit.</exception>
    public static NamedEvaluation Evaluate(
        string name, Split split, EvaluationOptions options, IProgress<StepProgress>? progress, CancellationToken cancellationToken)
    {
        using var retriever = Fit(name, Settings(name, "--baselines", []), split, progress, cancellationToken);
        return ModelTraining.Evaluate(name, retriever, split, options, cancellationToken);
    }

    /// <summary>Fits a baseline with settings that <see cref="Settings"/> made.</summary>
    /// <exception cref="CliException">The data is beyond what the baseline can fit.</exception>
    public static IRetriever Fit(
        string name, object settings, Split split, IProgress<StepProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return (name, settings) switch
            {
                ("popularity", _) => PopularityBaseline.Of(split.TrainDataset),
                ("popularity-7d", _) => PopularityBaseline.Of(split.TrainDataset, TimeSpan.FromDays(7)),
                (_, ContentKnnSettings of) => ContentKnn.Of(split.TrainDataset with { Shows = split.Dataset.Shows }, of.History),
                (_, ItemKnnSettings of) => ItemKnn.Of(split.TrainDataset, of.Neighbours, of.History),
                (_, EaseSettings of) => Ease.Of(split.TrainDataset, of.Lambda, of.History),
                (_, SasrecOptions of) => Sasrec.Train(split, of, progress is null ? null : new EpochLines(progress), cancellationToken),
                _ => throw new ArgumentOutOfRangeException(nameof(name), name, "not a baseline"),
            };
        }
        catch (ArgumentException e) when (e.ParamName == "shows")
        {
            throw new CliException($"{name}: {e.Message}");
        }
    }

    private sealed class EpochLines(IProgress<StepProgress> progress) : IProgress<SasrecProgress>
    {
        public void Report(SasrecProgress value) => progress.Report(new StepProgress(
            (double)value.Epoch / value.Epochs,
            string.Create(
                CultureInfo.InvariantCulture,
                $"sasrec epoch {value.Epoch}, at most {value.Epochs}, loss {value.Loss:F3}, validation NDCG@10 {value.Ndcg10:F4}{(value.IsBest ? " (best)" : "")}")));
    }
}
