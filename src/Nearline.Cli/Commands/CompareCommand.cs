using System.CommandLine;
using Nearline.Cli.Comparing;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model.Data.Import;
using Nearline.Model.Graph;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline compare</c>: models over seeds on one data set and protocol.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var dataset = CommonOptions.Dataset();
        var protocol = CommonOptions.Protocol();
        var device = CommonOptions.Device();
        var models = new Option<string[]>("--model")
        {
            Description = $"what to compare, may be repeated: [label: ]preset[/variant] or baseline ({string.Join(", ", Baselines.Names)}), then Name=value for its options and Seeds=1,2 for its own seeds",
            HelpName = "entry",
            DefaultValueFactory = _ => [],
        };
        var graph = CommonOptions.Graph("folder of the content graph, written by `nearline graph`, that entries with Graph=true start from");
        var file = new Option<string?>("--models") { Description = "a file of such entries, one a line, # for comments" };
        var seeds = new Option<string>("--seeds") { Description = "seeds of the entries that name none", DefaultValueFactory = _ => "1,2,3" };
        var reference = new Option<string?>("--reference") { Description = "the label that differences are to; default: the first entry" };
        var unfiltered = new Option<bool>("--unfiltered-too") { Description = "measure sets that contain watched shows too, as published figures on the Amazon sets are" };
        var output = new Option<string>("--out") { Description = "the JSON file to write; results of runs go to a folder beside it", Required = true };
        var resume = new Option<bool>("--resume") { Description = "keep the results of runs with the same options, seed and data" };
        var parallel = new Option<int?>("--parallel") { Description = "runs at once, a process each; default: one a core" };
        var threads = new Option<int>("--threads") { Description = "CPU threads of a run", DefaultValueFactory = _ => 1 };
        var command = new Command("compare", "compare models over seeds")
        {
            data, dataset, protocol, models, file, graph, seeds, reference, unfiltered, output, resume, parallel, threads, device,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var entries = Entries(parsed.GetRequiredValue(models), parsed.GetValue(file));
            var settings = new ComparisonSettings
            {
                Data = parsed.GetRequiredValue(data),
                Dataset = parsed.GetValue(dataset),
                Protocol = parsed.GetRequiredValue(protocol),
                UnfilteredToo = parsed.GetValue(unfiltered),
                Graph = Graph(parsed.GetValue(graph), entries),
                Threads = AtLeastOne("--threads", parsed.GetRequiredValue(threads)),
                Device = parsed.GetRequiredValue(device),
            };
            var referenceLabel = Reference(parsed.GetValue(reference), entries);
            return await CompareAsync(
                settings,
                entries,
                ComparedModel.ParseSeeds(parsed.GetRequiredValue(seeds), "--seeds"),
                referenceLabel,
                parsed.GetRequiredValue(output),
                AtLeastOne("--parallel", parsed.GetValue(parallel) ?? Math.Max(1, Environment.ProcessorCount / settings.Threads)),
                parsed.GetValue(resume),
                cancellation).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Entries of the command line and then of the file, each label once.</summary>
    /// <exception cref="CliException">There is none, one is wrong, or two have the same label.</exception>
    internal static IReadOnlyList<ComparedModel> Entries(IReadOnlyList<string> models, string? file)
    {
        ComparedModel[] entries =
        [
            .. models.Select(m => ComparedModel.Parse(m, "--model")),
            .. file is null ? [] : ComparedModel.ReadFile(file),
        ];
        return entries.Length == 0
            ? throw new CliException("nothing to compare: name entries with --model or a file of them with --models")
            : entries.GroupBy(e => e.Label).FirstOrDefault(g => g.Count() > 1) is { } twice
                ? throw new CliException($"two entries are called '{twice.Key}'; give one another label, such as 'other: {twice.Last().Entry}'")
                : entries;
    }

    /// <summary>The graph, checked against the entries that start from it before any of them is trained.</summary>
    /// <exception cref="CliException">There is none though an entry asks for one, or it does not fit an entry.</exception>
    internal static GraphSource? Graph(string? folder, IReadOnlyList<ComparedModel> entries)
    {
        ComparedModel[] users = [.. entries.Where(e => e.UsesGraph)];
        if (folder is null)
        {
            return users.Length == 0 ? null : throw new CliException(
                $"'{users[0].Label}' has Graph=true, but --graph is missing; name the folder of a graph that `nearline graph` wrote");
        }

        using var graph = ContentGraph.Load(folder);
        foreach (var user in users)
        {
            OptionAssignments.Check($"--graph for '{user.Label}'", () => graph.Check(user.M5(1, 1, "cpu").Config));
        }

        return new GraphSource(folder, graph.Fingerprint());
    }

    private static string Reference(string? label, IReadOnlyList<ComparedModel> entries) =>
        label is null || entries.Any(e => e.Label == label)
            ? label ?? entries[0].Label
            : throw new CliException($"--reference is '{label}'; it must be the label of an entry: {string.Join(", ", entries.Select(e => e.Label))}");

    private static int AtLeastOne(string option, int value) =>
        value >= 1 ? value : throw new CliException($"{option} is {value}; it must be at least 1");

    private static async Task<int> CompareAsync(
        ComparisonSettings settings,
        IReadOnlyList<ComparedModel> entries,
        IReadOnlyList<int> seeds,
        string referenceLabel,
        string output,
        int parallel,
        bool resume,
        CancellationToken cancellation)
    {
        var dataset = await DatasetInput.ReadAsync(settings.Data, settings.Dataset, cancellation).ConfigureAwait(false);
        var source = DatasetImport.Detect(settings.Data, settings.Dataset).Name;
        var fingerprint = await Steps.RunAsync("fingerprint", _ => dataset.Fingerprint()).ConfigureAwait(false);
        var runs = ComparisonRun.Of(entries, seeds, settings, fingerprint);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        var finished = await new ComparisonRunner(settings, Path.ChangeExtension(output, ".runs"))
            .RunAsync(runs, parallel, resume, cancellation).ConfigureAwait(false);
        FinishedRun[] failed = [.. finished.Where(f => f.Error is not null)];
        var rows = ComparedRow.Of(entries, finished);
        if (rows.Count > 0)
        {
            var reference = rows.FirstOrDefault(r => r.Model.Label == referenceLabel) ?? rows[0];
            ComparisonTable.Print(rows, reference);
            ComparisonFile.Write(
                output,
                new ComparisonHeader(
                    ProtocolName(settings.Protocol, source), settings.Protocol, source, fingerprint, GitCommit.Current(), TimeProvider.System.GetUtcNow(), settings.Threads),
                rows,
                reference,
                failed);
            AnsiConsole.MarkupLineInterpolated($"figures in {output}");
        }

        return failed.Length == 0
            ? 0
            : throw new CliException($"{failed.Length} of {runs.Count} runs failed:\n{string.Join('\n', failed.Select(f => $"  {f.Run.Title}: {f.Error}"))}");
    }

    /// <summary>The fixed protocols of docs/evaluation.md by name.</summary>
    private static string ProtocolName(string split, string source) => (split, source) switch
    {
        ("leave-one-out", "ml-100k") => "P2",
        ("leave-one-out", "Beauty" or "Sports_and_Outdoors") => "P1",
        ("last-day", _) => "P3",
        _ => split,
    };
}
