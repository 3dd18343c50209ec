using Nearline.Model.Behaviours;

namespace Nearline.Model.Evaluation;

/// <summary>Where a target came in its set.</summary>
/// <param name="Target">The target.</param>
/// <param name="Category">The category of its show.</param>
/// <param name="Rank">From 1; 0: not among the first 100.</param>
public readonly record struct RankedTarget(EvaluationTarget Target, ShowCategory Category, int Rank);
