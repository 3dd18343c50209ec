using Nearline.Model.Data;

namespace Nearline.Model.Evaluation;

/// <summary>A data set cut into what may be learned from and what is predicted.</summary>
/// <param name="Dataset">All of it.</param>
/// <param name="TrainActions">For each user how many of the first actions train.</param>
/// <param name="Validation">What hyper-parameters and epochs are chosen on.</param>
/// <param name="Test">What is reported.</param>
public sealed record Split(
    Dataset Dataset,
    IReadOnlyList<int> TrainActions,
    IReadOnlyList<EvaluationTarget> Validation,
    IReadOnlyList<EvaluationTarget> Test)
{
    /// <summary>The training part as a data set of its own.</summary>
    public Dataset TrainDataset { get; } = Dataset with
    {
        Users = [.. Dataset.Users.Select((u, i) => u with { Actions = [.. u.Actions.Take(TrainActions[i])] })],
    };
}
