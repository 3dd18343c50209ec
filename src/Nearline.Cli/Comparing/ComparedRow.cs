using System.Runtime.InteropServices;
using Nearline.Model.Evaluation;

namespace Nearline.Cli.Comparing;

/// <summary>All finished runs of a model.</summary>
/// <param name="Model">The entry.</param>
/// <param name="Runs">Their results, at least one.</param>
internal sealed record ComparedRow(ComparedModel Model, IReadOnlyList<RunResult> Runs)
{
    private const int Cutoff = 20;

    /// <summary>Rows of the models that have a result, in the models' order.</summary>
    public static IReadOnlyList<ComparedRow> Of(IReadOnlyList<ComparedModel> models, IReadOnlyList<FinishedRun> finished) =>
    [
        .. models
            .Select(model => new ComparedRow(
                model, [.. finished.Where(f => f.Run.Model.Label == model.Label).Select(f => f.Result).OfType<RunResult>()]))
            .Where(row => row.Runs.Count > 0),
    ];

    /// <summary>Mean and spread of a figure.</summary>
    public Spread Figure(Func<RunResult, double> of) => Spread.Of([.. Runs.Select(of)]);

    /// <summary>This row's HR@20 minus another's on the same targets and users.</summary>
    public Difference To(ComparedRow reference)
    {
        var (mine, other) = (Figure(r => r.Filtered.Average.Hr20).Mean, reference.Figure(r => r.Filtered.Average.Hr20).Mean);
        var targets = Runs[0].Filtered;
        var paired = PairedDifference.OfHits(
            targets.Users, targets.Places, [.. Runs.Select(r => r.Filtered.Ranks)], [.. reference.Runs.Select(r => r.Filtered.Ranks)], Cutoff);
        return new Difference(mine - other, other > 0 ? (mine / other) - 1 : null, paired.Interval());
    }
}

/// <summary>A figure over seeds.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Deviation">Their standard deviation (of a sample: n - 1); null with fewer than two.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Spread(double Mean, double? Deviation)
{
    public static Spread Of(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return new Spread(mean, values.Count < 2 ? null : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1)));
    }
}

/// <summary>A difference in HR@20 to the reference.</summary>
/// <param name="Absolute">The difference.</param>
/// <param name="Relative">As a share of the reference's; null where that is 0.</param>
/// <param name="Interval">95 % interval of the absolute one over users.</param>
internal sealed record Difference(double Absolute, double? Relative, Interval Interval);
