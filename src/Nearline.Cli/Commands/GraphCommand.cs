using System.CommandLine;
using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model.Graph;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline graph</c>: builds a catalog's content graph, reports its shape, trains it and writes it.</summary>
internal static class GraphCommand
{
    private static readonly OptionAssignments Options = new(typeof(GraphOptions));

    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var protocol = CommonOptions.Protocol();
        var text = new Option<string?>("--text")
        {
            Description = "vectors of the shows' texts, .npy with .ids.txt or .safetensors; default: hashed n-grams of title and description",
            HelpName = "file",
        };
        var visual = new Option<string?>("--visual")
        {
            Description = "vectors of the shows' pictures, in the same formats; default: none",
            HelpName = "file",
        };
        var set = new Option<string[]>("--set")
        {
            Description = $"set an option of the graph, such as --set Width=128; may be repeated; there are {string.Join(", ", Options.Names.Order(StringComparer.Ordinal))}",
            HelpName = "Name=value",
            DefaultValueFactory = _ => [],
        };
        var target = new Option<string>("--out")
        {
            Description = $"folder to write {ContentGraph.TensorsFile} and {ContentGraph.DescriptionFile} to",
            HelpName = "folder",
            Required = true,
        };
        var device = CommonOptions.Device();
        var command = new Command("graph", "train a content graph: CG embeddings for `nearline train --graph`")
        {
            data, name, protocol, text, visual, set, target, device,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = Configure(parsed.GetRequiredValue(set), parsed.GetRequiredValue(device));
            var texts = Vectors(parsed.GetValue(text));
            var pictures = Vectors(parsed.GetValue(visual));
            var dataset = await DatasetInput.ReadAsync(
                parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            var graph = Metagraph.Of(
                Protocols.Split(dataset, parsed.GetRequiredValue(protocol)).TrainDataset.Shows, texts, pictures);
            foreach (var line in GraphReportLines.Of(MetagraphReport.Of(graph)))
            {
                AnsiConsole.WriteLine(line);
            }

            using var trained = await Steps.RunAsync(
                "train the graph", progress => GraphTrainer.Train(graph, options, new EpochLines(progress), cancellation)).ConfigureAwait(false);
            var folder = parsed.GetRequiredValue(target);
            trained.Write(folder);
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"graph of {trained.Vocabulary.Shows.Count} shows, width {options.Width}, in {folder}"));
            return 0;
        });
        return command;
    }

    /// <summary>The options with assignments made, and checked.</summary>
    /// <exception cref="CliException">A name is unknown, or a value makes no sense; the message says what would.</exception>
    internal static GraphOptions Configure(IEnumerable<string> assignments, string device)
    {
        var options = new GraphOptions { Device = device };
        Options.Set("--set", assignments, options);
        OptionAssignments.Check("--set", options.Validate);
        return options;
    }

    private static NodeVectors? Vectors(string? path) => path is null ? null : NodeVectors.Read(path);

    /// <summary>A line an epoch, whatever else the terminal shows.</summary>
    private sealed class EpochLines(IProgress<StepProgress> progress) : IProgress<GraphProgress>
    {
        public void Report(GraphProgress value)
        {
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  epoch {value.Epoch} of {value.Epochs}: loss {value.Loss:F4}, {value.Pairs:N0} pairs, {value.Elapsed.TotalSeconds:F1} s"));
            if (AnsiConsole.Profile.Capabilities.Interactive)
            {
                progress.Report(new StepProgress((double)value.Epoch / value.Epochs));
            }
        }
    }
}
