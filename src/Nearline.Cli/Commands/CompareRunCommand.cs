using System.CommandLine;
using Nearline.Cli.Comparing;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;

namespace Nearline.Cli.Commands;

/// <summary>
/// <c>nearline compare-run</c>: one run of <c>nearline compare</c>, in a process of its own because torch's seed and
/// thread count are the process's.
/// </summary>
internal static class CompareRunCommand
{
    public const string Name = "compare-run";

    public static Command Create()
    {
        var data = CommonOptions.Data();
        var dataset = CommonOptions.Dataset();
        var protocol = CommonOptions.Protocol();
        var device = CommonOptions.Device();
        var entry = new Option<string>("--model") { Description = "the entry", Required = true };
        var seed = new Option<int?>("--seed") { Description = "the seed" };
        var graph = CommonOptions.Graph("folder of the content graph");
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 1 };
        var unfiltered = new Option<bool>("--unfiltered-too") { Description = "measure sets with watched shows too" };
        var output = new Option<string>("--out") { Description = "the result's file", Required = true };
        var command = new Command(Name, "one run of compare") { data, dataset, protocol, device, entry, seed, graph, threads, unfiltered, output };
        command.Hidden = true;
        command.SetAction(async (parsed, cancellation) =>
        {
            var model = ComparedModel.Parse(parsed.GetRequiredValue(entry), "--model");
            var settings = new ComparisonSettings
            {
                Data = parsed.GetRequiredValue(data),
                Dataset = parsed.GetValue(dataset),
                Protocol = parsed.GetRequiredValue(protocol),
                UnfilteredToo = parsed.GetValue(unfiltered),
                Graph = CompareCommand.Graph(parsed.GetValue(graph), [model]),
                Threads = parsed.GetRequiredValue(threads),
                Device = parsed.GetRequiredValue(device),
            };
            var read = await DatasetInput.ReadAsync(settings.Data, settings.Dataset, cancellation).ConfigureAwait(false);
            var split = Protocols.Split(read, settings.Protocol);
            var result = await Steps.RunAsync(model.Label, progress => RunWorker.Run(
                model, parsed.GetValue(seed), split, settings, progress, cancellation)).ConfigureAwait(false);
            (result with { Commit = GitCommit.Current() }).Write(parsed.GetRequiredValue(output));
            return 0;
        });
        return command;
    }
}
