using System.CommandLine;
using Nearline.Model;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;
using Nearline.Model.Data.Simulation;

namespace Nearline.Bench.Training;

/// <summary>
/// <c>nearline-bench training</c>: writes a case for the peer, then answers each line on its input with a line of JSON:
/// <c>check</c> with losses, <c>round</c> with the time that training on every batch took.
/// </summary>
internal static class TrainingCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "directory of the data set, or 'simulated'", Required = true };
        var name = new Option<string?>("--dataset") { Description = "which, when the directory holds several" };
        var config = new Option<string>("--config") { Description = "preset of model and training", DefaultValueFactory = _ => "m5-paper" };
        var size = new Option<int>("--batch") { Description = "instances a step", DefaultValueFactory = _ => 256 };
        var batches = new Option<int>("--batches") { Description = "steps a round", DefaultValueFactory = _ => 2 };
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 1 };
        var device = new Option<string>("--device") { Description = "auto, cpu or cuda", DefaultValueFactory = _ => "cpu" };
        var output = new Option<string>("--out") { Description = "directory for the case", Required = true };
        var command = new Command("training", "train on a case that the peer trains on too") { data, name, config, size, batches, threads, device, output };
        command.SetAction(parsed =>
        {
            var dataset = Read(parsed.GetRequiredValue(data), parsed.GetValue(name));
            using var side = new TrainingSide(
                dataset,
                parsed.GetRequiredValue(config),
                parsed.GetRequiredValue(size),
                parsed.GetRequiredValue(batches),
                parsed.GetRequiredValue(threads),
                parsed.GetRequiredValue(device));
            side.Write(parsed.GetRequiredValue(output));
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line switch
                {
                    "check" => side.Check(),
                    "round" => side.Round(),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be check or round"),
                });
            }
        });
        return command;
    }

    private static Dataset Read(string directory, string? name) =>
        directory == "simulated" ? SimulatedWorld.Generate() : DatasetImport.Detect(directory, name).Read(null, CancellationToken.None);
}
