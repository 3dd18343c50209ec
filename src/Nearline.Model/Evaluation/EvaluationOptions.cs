using Nearline.Model.Data;

namespace Nearline.Model.Evaluation;

/// <summary>What an evaluation does beyond counting hits.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Draws of the bootstrap that reports use.</summary>
    public const int UsualDraws = 1000;

    /// <summary>
    /// Whether sets leave out what the user has watched, as in serving. Published figures on the Amazon sets mostly do
    /// not.
    /// </summary>
    public bool LeaveOutWatched { get; init; } = true;

    /// <summary>The training part, where popularity is counted for the debiased Hit Ratio; null: that is not given.</summary>
    public Dataset? Train { get; init; }

    /// <summary>Draws of the bootstrap, which resamples users; 0: no intervals.</summary>
    public int BootstrapDraws { get; init; }

    /// <summary>The seed of the draws: the same seed and ranks give the same intervals.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>All figures, with intervals.</summary>
    public static EvaluationOptions Full(Split split)
    {
        ArgumentNullException.ThrowIfNull(split);
        return new EvaluationOptions { Train = split.TrainDataset, BootstrapDraws = UsualDraws };
    }
}
