using System.CommandLine;
using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Graph;
using Nearline.Model.Training;
using Nearline.Model.Training.Runs;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline train</c>: trains M5 and writes a bundle.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data(required: false);
        var name = CommonOptions.Dataset();
        var models = CommonOptions.Models();
        var config = new Option<string>("--config") { Description = $"preset: {string.Join(", ", M5Config.Presets.Select(p => p.Name))}", HelpName = "name", DefaultValueFactory = _ => "m5-small" };
        config.AcceptOnlyFromAmong([.. M5Config.Presets.Select(p => p.Name)]);
        var variant = new Option<string>("--variant")
        {
            Description = $"variant of the preset, after the paper's table 2: {string.Join(", ", M5Variants.All.Select(v => $"{v.Name} ({v.PaperName})"))}",
            HelpName = "name",
            DefaultValueFactory = _ => M5Variants.Default,
        };
        variant.AcceptOnlyFromAmong([.. M5Variants.Names]);
        var protocol = CommonOptions.Protocol();
        var epochs = new Option<int?>("--epochs") { Description = "passes over the data; default: the preset's" };
        var seed = new Option<int?>("--seed") { Description = "seed of weights, sampling and dropout; default: the preset's" };
        var set = new Option<string[]>("--set")
        {
            Description = "set any option of the model or its training, such as --set Width=96; may be repeated",
            HelpName = "Name=value",
            DefaultValueFactory = _ => [],
        };
        var run = new Option<string?>("--run")
        {
            Description = "folder for the run's figures, curves and checkpoint; default: a new one in runs/",
            HelpName = "folder",
        };
        var resume = new Option<string?>("--resume")
        {
            Description = "go on with an interrupted run, from its last whole epoch; all else is as that run was told",
            HelpName = "folder",
        };
        var warm = new Option<string?>("--warm-start")
        {
            Description = "begin with the weights of this bundle in --models, or of the active one: what both catalogs know keeps its weights",
            HelpName = "version|active",
        };
        var graph = CommonOptions.Graph("folder of a content graph that `nearline graph` wrote, of the model's Width: CG embeddings begin with its own");
        var index = new Option<string>("--index")
        {
            Description = $"hnsw: write a graph of the index into the bundle too; exact: do not; auto: from {ModelTraining.LargeCatalog:N0} shows on",
            DefaultValueFactory = _ => "auto",
        };
        index.AcceptOnlyFromAmong("auto", "exact", "hnsw");
        var activate = new Option<bool>("--no-activate") { Description = "do not make the new bundle the active one" };
        var device = CommonOptions.Device();
        var command = new Command("train", "train M5, evaluate it, write a bundle")
        {
            data, name, models, config, variant, protocol, epochs, seed, set, run, resume, warm, graph, index, activate, device,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var resumed = Resumed(parsed.GetValue(resume));
            if (resumed is not null && parsed.GetValue(run) is { } other)
            {
                throw new CliException($"--run is '{other}', but --resume goes on in its own folder; give one of them");
            }

            using var content = Graph(resumed, parsed.GetValue(graph));
            var setting = resumed?.Info.Setting ?? new RunSetting(
                Path.GetFullPath(parsed.GetValue(data) ?? throw new CliException("--data is missing; name the directory of the data")),
                parsed.GetValue(name),
                parsed.GetRequiredValue(protocol),
                Path.GetFullPath(parsed.GetRequiredValue(models)),
                !parsed.GetValue(activate),
                WarmStartVersion(parsed.GetRequiredValue(models), parsed.GetValue(warm)),
                content is null ? null : Path.GetFullPath(parsed.GetValue(graph)!),
                content?.Fingerprint());
            var options = new ModelTrainingOptions
            {
                Models = resumed is null ? parsed.GetRequiredValue(models) : Given(parsed, models) ?? setting.Models,
                Config = parsed.GetRequiredValue(config),
                Variant = parsed.GetRequiredValue(variant),
                Device = Given(parsed, device),
                Epochs = parsed.GetValue(epochs),
                Seed = parsed.GetValue(seed),
                Set = parsed.GetRequiredValue(set),
                Resume = resumed,
                WarmStart = setting.WarmStart,
                Graph = content,
                WithGraph = parsed.GetRequiredValue(index) switch { "hnsw" => true, "exact" => false, _ => null },
                Activate = setting.Activate && !parsed.GetValue(activate),
            };
            var (shape, training) = ModelTraining.Configure(options);
            if (content is not null)
            {
                OptionAssignments.Check("--graph", () => content.Check(shape));
            }

            if (resumed is not null)
            {
                Agree("--config", Given(parsed, config), shape.Name);
                Agree("--variant", Given(parsed, variant), shape.Variant);
                Agree("--warm-start", WarmStartVersion(setting.Models, parsed.GetValue(warm)), setting.WarmStart ?? "none");
                Agree("--protocol", Given(parsed, protocol), setting.Protocol);
            }

            var dataset = await DatasetInput.ReadAsync(
                parsed.GetValue(data) ?? setting.Data, parsed.GetValue(name) ?? setting.Dataset, cancellation).ConfigureAwait(false);
            var result = await ModelTraining.RunAsync(
                Protocols.Split(dataset, setting.Protocol),
                resumed is not null ? options : options with { Run = (parsed.GetValue(run) ?? NewRun(shape, training), setting) },
                cancellation).ConfigureAwait(false);
            Evaluations.Print(result.Evaluations);
            return 0;
        });
        return command;
    }

    private static RunFolder? Resumed(string? path)
    {
        if (path is null)
        {
            return null;
        }

        var folder = RunFolder.Open(path);
        if (folder.Info.Result is not { } result)
        {
            return folder;
        }

        folder.Dispose();
        throw new CliException($"--resume is '{path}', a run that is over; its bundle is {result.Bundle}");
    }

    /// <summary>The content graph that the run begins with, or began with: the same one; null: none.</summary>
    private static ContentGraph? Graph(RunFolder? resumed, string? folder)
    {
        if (resumed is null)
        {
            return folder is null ? null : ContentGraph.Load(folder);
        }

        var setting = resumed.Info.Setting;
        Agree("--graph", folder is null ? null : Path.GetFullPath(folder), setting.Graph ?? "none");
        if (setting.Graph is null)
        {
            return null;
        }

        var graph = ContentGraph.Load(setting.Graph);
        if (graph.Fingerprint() is var now && now != setting.GraphFingerprint)
        {
            graph.Dispose();
            throw new CliException($"--resume: the graph in '{setting.Graph}' is {now}, but the run began with {setting.GraphFingerprint}; a run goes on only as it began");
        }

        return graph;
    }

    /// <summary>A version that is there, before the data is read for nothing.</summary>
    private static string? WarmStartVersion(string models, string? name)
    {
        var store = new BundleStore(models);
        return name is null ? null : store.Open(name != "active" ? name : store.ActiveVersion
            ?? throw new CliException($"--warm-start is active, but no bundle is active in '{models}'; name a version")).Version;
    }

    /// <summary>An option's value where the user gave it; null where it is the default.</summary>
    private static string? Given(ParseResult parsed, Option<string> option) =>
        parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option) : null;

    private static void Agree(string option, string? given, string there)
    {
        if (given is not null && given != there)
        {
            throw new CliException($"{option} is '{given}', but the run was told '{there}'; a run goes on only as it began");
        }
    }

    /// <summary>A folder that is not there yet: runs of one second get numbers.</summary>
    private static string NewRun(M5Config config, TrainingOptions training)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyyMMdd-HHmmss}-{config.Name}-{config.Variant}-seed{training.Seed}");
        return Enumerable.Range(1, int.MaxValue)
            .Select(n => Path.Combine("runs", n == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{n}")))
            .First(path => !Directory.Exists(path));
    }
}
