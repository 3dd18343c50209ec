using System.Runtime.InteropServices;

namespace Nearline.Model.Evaluation;

/// <summary>A confidence interval.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Interval(double Low, double High);

/// <summary>
/// 95 % bootstrap intervals of the figures that are means over targets. Coverage has none: a sample of users with
/// repetitions covers less than the users themselves, so its interval would lie below the figure.
/// </summary>
public sealed record MetricIntervals
{
    /// <summary>Of the Hit Ratio at 20.</summary>
    public required Interval Hr20 { get; init; }

    /// <summary>Of the Hit Ratio at 100.</summary>
    public required Interval Hr100 { get; init; }

    /// <summary>Of the recall at 5.</summary>
    public required Interval Recall5 { get; init; }

    /// <summary>Of the recall at 10.</summary>
    public required Interval Recall10 { get; init; }

    /// <summary>Of NDCG at 5.</summary>
    public required Interval Ndcg5 { get; init; }

    /// <summary>Of NDCG at 10.</summary>
    public required Interval Ndcg10 { get; init; }

    /// <summary>Of NDCG at 20.</summary>
    public required Interval Ndcg20 { get; init; }

    /// <summary>Of NDCG at 100.</summary>
    public required Interval Ndcg100 { get; init; }

    /// <summary>Of the mean reciprocal rank.</summary>
    public required Interval Mrr { get; init; }

    /// <summary>Of the debiased Hit Ratio at 20; null where that is.</summary>
    public Interval? DebiasedHr20 { get; init; }
}
