using Nearline.Cli.Console;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;

namespace Nearline.Cli.Modelling;

/// <summary>What models are measured against, by the names that commands use.</summary>
internal static class Baselines
{
    /// <summary>Every baseline.</summary>
    public static readonly string[] Names = ["popularity", "popularity-7d", "itemknn", "ease", "sasrec"];

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

    /// <summary>Fits a baseline on the training part and evaluates it on the test targets.</summary>
    /// <exception cref="CliException">The data is beyond what the baseline can fit.</exception>
    public static NamedEvaluation Evaluate(string name, Split split, EvaluationOptions options, CancellationToken cancellationToken)
    {
        using var retriever = Fit(name, split, cancellationToken);
        return ModelTraining.Evaluate(name, retriever, split, options, cancellationToken);
    }

    private static IRetriever Fit(string name, Split split, CancellationToken cancellationToken)
    {
        try
        {
            return name switch
            {
                "popularity" => PopularityBaseline.Of(split.TrainDataset),
                "popularity-7d" => PopularityBaseline.Of(split.TrainDataset, TimeSpan.FromDays(7)),
                "itemknn" => ItemKnn.Of(split.TrainDataset),
                "ease" => Ease.Of(split.TrainDataset),
                "sasrec" => Sasrec.Train(split, new SasrecOptions(), cancellationToken: cancellationToken),
                _ => throw new ArgumentOutOfRangeException(nameof(name), name, "not a baseline"),
            };
        }
        catch (ArgumentException e) when (e.ParamName == "shows")
        {
            throw new CliException($"--baselines has {name}: {e.Message}");
        }
    }
}
