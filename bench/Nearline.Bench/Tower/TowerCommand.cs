using System.CommandLine;
using System.Globalization;
using Nearline.Model;

namespace Nearline.Bench.Tower;

/// <summary>
/// <c>nearline-bench tower</c>: writes a case for the peer, then answers each line on its input with a line of JSON:
/// <c>encoded BATCH</c> and <c>histories BATCH</c> give the time that all users took in batches of that size, from encoded
/// features and from their histories.
/// </summary>
internal static class TowerCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config") { Description = "preset of the model", DefaultValueFactory = _ => "m5-paper" };
        var shows = new Option<int>("--shows") { Description = "of the simulated world", DefaultValueFactory = _ => 2000 };
        var users = new Option<int>("--users") { Description = "that are served", DefaultValueFactory = _ => 512 };
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 1 };
        var precision = new Option<ServingPrecision>("--precision") { Description = "of the tower's large products" };
        var device = new Option<string>("--device") { Description = "auto, cpu or cuda", DefaultValueFactory = _ => "cpu" };
        var output = new Option<string>("--out") { Description = "directory for the case", Required = true };
        var command = new Command("tower", "run the user tower on a case that the peer runs too") { config, shows, users, threads, precision, device, output };
        command.SetAction(parsed =>
        {
            using var side = new TowerSide(
                parsed.GetRequiredValue(config),
                parsed.GetValue(shows),
                parsed.GetValue(users),
                parsed.GetValue(threads),
                parsed.GetValue(precision),
                parsed.GetRequiredValue(device));
            side.Write(parsed.GetRequiredValue(output));
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line.Split(' ') switch
                {
                    ["encoded", var batch] => side.Encoded(int.Parse(batch, CultureInfo.InvariantCulture)),
                    ["histories", var batch] => side.Histories(int.Parse(batch, CultureInfo.InvariantCulture)),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be encoded or histories, and a batch size"),
                });
            }
        });
        return command;
    }
}
