using System.Globalization;
using Nearline.Model.Training;

namespace Nearline.Cli.Modelling;

/// <summary>An epoch in a line.</summary>
internal static class EpochLine
{
    public static string Of(TrainingProgress epoch)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"  epoch {epoch.Epoch} of {epoch.Epochs}: loss {epoch.Loss:F3} (match {epoch.Match:F3}, MLM {epoch.Mlm:F3}, dis {epoch.Disagreement:F3}), {epoch.SamplesPerSecond:N0} samples/s");
        if (epoch.Validation is not { } average)
        {
            return line;
        }

        var scenarios = epoch.Scenarios.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Scenario} {s.Hr20:F4}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{line}, validation HR@20 {average.Hr20:F4} ({string.Join(", ", scenarios)}){(epoch.IsBest ? ", best" : "")}");
    }
}
