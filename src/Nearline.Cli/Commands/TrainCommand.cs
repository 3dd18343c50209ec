using System.CommandLine;
using Nearline.Cli.Modelling;
using Nearline.Model;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline train</c>: trains M5 and writes a bundle.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var models = CommonOptions.Models();
        var config = new Option<string>("--config") { Description = "m5-small or m5-paper", DefaultValueFactory = _ => "m5-small" };
        config.AcceptOnlyFromAmong("m5-small", "m5-paper");
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
        var csv = new Option<string?>("--csv") { Description = "write a line an epoch to this file" };
        var activate = new Option<bool>("--no-activate") { Description = "do not make the new bundle the active one" };
        var device = CommonOptions.Device();
        var command = new Command("train", "train M5, evaluate it, write a bundle")
        {
            data, name, models, config, variant, protocol, epochs, seed, set, csv, activate, device,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var dataset = await DatasetInput.ReadAsync(
                parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            var result = await ModelTraining.RunAsync(
                Protocols.Split(dataset, parsed.GetRequiredValue(protocol)),
                new ModelTrainingOptions
                {
                    Models = parsed.GetRequiredValue(models),
                    Config = parsed.GetRequiredValue(config),
                    Variant = parsed.GetRequiredValue(variant),
                    Device = parsed.GetRequiredValue(device),
                    Epochs = parsed.GetValue(epochs),
                    Seed = parsed.GetValue(seed),
                    Set = parsed.GetRequiredValue(set),
                    CsvPath = parsed.GetValue(csv),
                    Activate = !parsed.GetValue(activate),
                },
                cancellation).ConfigureAwait(false);
            Evaluations.Print(result.Evaluations);
            return 0;
        });
        return command;
    }
}
