using System.Globalization;
using System.Text;

namespace Nearline.Model.Training.Runs;

/// <summary>The figures of a run in long form, a line a figure, as TensorBoard keeps them.</summary>
internal static class Scalars
{
    /// <summary>The header of the file.</summary>
    public const string Header = "step,epoch,seconds,tag,value";

    /// <summary>All of a run's figures as the bytes of scalars.csv.</summary>
    public static byte[] Csv(IReadOnlyList<TrainingProgress> epochs)
    {
        var csv = new StringBuilder(Header).Append('\n');
        foreach (var epoch in epochs)
        {
            foreach (var (tag, value) in Of(epoch))
            {
                csv.Append(
                    CultureInfo.InvariantCulture,
                    $"{epoch.Step},{epoch.Epoch},{epoch.Elapsed.TotalSeconds:0.###},{Quoted(tag)},{value:R}\n");
            }
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }

    private static IEnumerable<(string Tag, double Value)> Of(TrainingProgress epoch)
    {
        yield return ("loss/total", epoch.Loss);
        yield return ("loss/match", epoch.Match);
        yield return ("loss/mlm", epoch.Mlm);
        yield return ("loss/disagreement", epoch.Disagreement);
        yield return ("rate/learning", epoch.LearningRate);
        yield return ("rate/samples_per_second", epoch.SamplesPerSecond);
        if (epoch.GradientNorm is { } norm)
        {
            yield return ("grad/norm", norm);
        }

        if (epoch.Validation is not { } average)
        {
            yield break;
        }

        foreach (var scenario in epoch.Scenarios)
        {
            yield return ($"validation/hr20/{scenario.Scenario}", scenario.Hr20);
        }

        yield return ("validation/hr20/average", average.Hr20);
        yield return ("validation/hr100/average", average.Hr100);
        yield return ("validation/ndcg10/average", average.Ndcg10);
    }

    private static string Quoted(string tag) =>
        tag.AsSpan().IndexOfAny(",\"\r\n") < 0 ? tag : $"\"{tag.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
