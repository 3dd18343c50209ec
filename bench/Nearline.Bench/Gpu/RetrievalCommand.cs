using System.CommandLine;
using System.Globalization;

namespace Nearline.Bench.Gpu;

/// <summary>
/// <c>nearline-bench retrieval</c>: loads a model of a simulated world, then answers each <c>round BATCH</c> on its input
/// with the time that sets for all users took.
/// </summary>
internal static class RetrievalCommand
{
    public static Command Create()
    {
        var device = new Option<string>("--device") { Description = "auto, cpu or cuda", DefaultValueFactory = _ => "auto" };
        var config = new Option<string>("--config") { Description = "preset of the model", DefaultValueFactory = _ => "m5-paper" };
        var shows = new Option<int>("--shows") { Description = "of the simulated world", DefaultValueFactory = _ => 70_000 };
        var users = new Option<int>("--users") { Description = "that are served", DefaultValueFactory = _ => 2048 };
        var threads = new Option<int>("--threads") { Description = "CPU threads of torch", DefaultValueFactory = _ => 1 };
        var command = new Command("retrieval", "make sets from histories: tower and index") { device, config, shows, users, threads };
        command.SetAction(parsed =>
        {
            using var side = new RetrievalSide(
                parsed.GetRequiredValue(device), parsed.GetRequiredValue(config), parsed.GetValue(shows), parsed.GetValue(users), parsed.GetValue(threads));
            Answers.Write(side.Describe());
            while (Console.ReadLine() is { } line)
            {
                Answers.Write(line.Split(' ') switch
                {
                    ["round", var batch] => side.Round(int.Parse(batch, CultureInfo.InvariantCulture)),
                    _ => throw new InvalidOperationException($"input: '{line}'; must be round and a batch size"),
                });
            }
        });
        return command;
    }
}
