using Nearline.Model.Evaluation;

namespace Nearline.Model.Training;

/// <summary>An epoch's report.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Epochs">Planned.</param>
/// <param name="Loss">Mean of equation 9.</param>
/// <param name="Match">Mean matching loss, equation 7.</param>
/// <param name="Mlm">Mean MLM loss, equation 2.</param>
/// <param name="Disagreement">Mean of equation 5 over both channels.</param>
/// <param name="SamplesPerSecond">Instances trained on a second, evaluation not counted.</param>
/// <param name="Elapsed">Since training began.</param>
/// <param name="Validation">What the validation targets say; null when this epoch was not evaluated.</param>
/// <param name="IsBest">Whether these weights are the best so far.</param>
public sealed record TrainingProgress(
    int Epoch,
    int Epochs,
    double Loss,
    double Match,
    double Mlm,
    double Disagreement,
    double SamplesPerSecond,
    TimeSpan Elapsed,
    ScenarioMetrics? Validation,
    bool IsBest)
{
    /// <summary>Steps taken since training began.</summary>
    public long Step { get; init; }

    /// <summary>Adam's learning rate at the epoch's last step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Mean norm of the gradient before it is cut; null where it is never cut.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>What the validation targets of each scenario say; empty when this epoch was not evaluated.</summary>
    public IReadOnlyList<ScenarioMetrics> Scenarios { get; init; } = [];
}
