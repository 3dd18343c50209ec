using System.Globalization;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Worker.Inspection;

/// <summary>An explanation in a sentence.</summary>
internal static class ExplanationText
{
    public static string Of(ShowExplanation explanation, string itemId)
    {
        var stopping = explanation.Masks.Where(m => !m.Passes).Select(m => m.Detail).ToList();
        FormattableString text = (stopping.Count > 0, explanation.Rank > 0) switch
        {
            (true, _) => $"'{itemId}' is kept out of the set, whatever its score{WouldBe(explanation)}: {string.Join("; ", stopping)}.",
            (_, true) => $"'{itemId}' is number {explanation.Rank} of {explanation.SetCount} in the set that model {explanation.ModelVersion} would make now: {Equation(explanation.Scores)}{Lifted(explanation)}.",
            _ => $"'{itemId}' passes every mask, but {Below(explanation)}: {Equation(explanation.Scores)}.",
        };
        return (explanation.UserKnown ? "" : "Nothing is stored of the user, so no set is made before the first event; for somebody without a past: ")
            + Text(text);
    }

    private static string WouldBe(ShowExplanation explanation) => explanation.RankAmongAll > 0
        ? Text($", which alone would make it number {explanation.RankAmongAll}")
        : "";

    private static string Below(ShowExplanation explanation) => explanation.RankAmongAll > 0
        ? Text($"it is number {explanation.RankAmongAll} of {explanation.ServableCount} by its score, and the set of {explanation.SetCount} ends at {explanation.SetLastScore:0.####}")
        : Text($"the set of {explanation.SetCount} ends at {explanation.SetLastScore:0.####}");

    private static string Equation(ShowScores scores) => Text(
        $"its score {scores.Score:0.####} = {scores.Weight:0.###} x {scores.FId:0.####} (what users like this one watch) + {1 - scores.Weight:0.###} x {scores.FCg:0.####} (its content)");

    private static string Lifted(ShowExplanation explanation) => explanation.Scores.SetScore > explanation.Scores.Score
        ? "; as a new show it stands where its content says, further up than that score"
        : "";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
