using Nearline.Model.Data;
using Nearline.Model.Serving;

namespace Nearline.Model.Evaluation;

/// <summary>A data set cut into what may be learned from and what is predicted.</summary>
/// <param name="Dataset">All of it.</param>
/// <param name="TrainActions">For each user how many of the first actions train.</param>
/// <param name="Validation">What hyper-parameters and epochs are chosen on.</param>
/// <param name="Test">What is reported.</param>
/// <param name="ColdShows">Shows that training must not know; null: none.</param>
public sealed record Split(
    Dataset Dataset,
    IReadOnlyList<int> TrainActions,
    IReadOnlyList<EvaluationTarget> Validation,
    IReadOnlyList<EvaluationTarget> Test,
    IReadOnlySet<string>? ColdShows = null)
{
    /// <summary>The training part as a data set of its own: without cold shows and what was done with them.</summary>
    public Dataset TrainDataset { get; } = Dataset with
    {
        Shows = ColdShows is null ? Dataset.Shows : [.. Dataset.Shows.Where(s => !ColdShows.Contains(s.Id))],
        Users = [.. Dataset.Users.Select((u, i) => u with
        {
            Actions = [.. u.Actions.Take(TrainActions[i]).Where(a => a.ShowId is not { } show || ColdShows?.Contains(show) != true)],
        })],
    };

    /// <summary>What epochs are chosen on: the validation targets, or, where these are cold, those that are not.</summary>
    public IReadOnlyList<EvaluationTarget> EpochTargets { get; init; } = Validation;

    /// <summary>The cold shows as the catalog brings them to a model that serves already.</summary>
    public IReadOnlyList<CatalogChange> Newcomers =>
        [.. Dataset.Shows.Where(s => ColdShows?.Contains(s.Id) == true).Select(s => new CatalogChange(s.Id, s))];
}
