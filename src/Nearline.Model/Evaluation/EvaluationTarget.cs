namespace Nearline.Model.Evaluation;

/// <summary>One thing to predict: the user's history up to just before an action, and what the action watched.</summary>
/// <param name="User">Index of the user in the data set.</param>
/// <param name="Action">Index of the action in the user's log; the history is what precedes it.</param>
/// <param name="Scenario">The scenario whose set should contain the show.</param>
/// <param name="ShowId">The show.</param>
public readonly record struct EvaluationTarget(int User, int Action, string Scenario, string ShowId);
