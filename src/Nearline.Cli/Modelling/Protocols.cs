using Nearline.Cli.Console;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;

namespace Nearline.Cli.Modelling;

/// <summary>The ways to split a data set, by the names that commands use.</summary>
internal static class Protocols
{
    public static readonly string[] Names = ["leave-one-out", "last-day", "cold-start"];

    public static Split Split(Dataset dataset, string protocol) => protocol switch
    {
        "leave-one-out" => Splits.LeaveOneOut(dataset),
        "last-day" => Splits.LastDay(dataset),
        "cold-start" => Splits.ColdStart(dataset),
        _ => throw new CliException($"--protocol is '{protocol}'; it must be one of {string.Join(", ", Names)}"),
    };
}
