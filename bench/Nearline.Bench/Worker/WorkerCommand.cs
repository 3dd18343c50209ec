using System.CommandLine;
using System.Globalization;
using Nearline.Model;

namespace Nearline.Bench.Worker;

/// <summary>
/// <c>nearline-bench worker</c>: a worker as in production between a mock Kafka and a Redis, with users who have a past.
/// Answers each line on its input with a line of JSON: <c>bare SECONDS</c>, what tower and index do alone;
/// <c>flood SECONDS</c>, what the worker does when there is always more; <c>rate EVENTS SECONDS</c>, how soon sets follow
/// events that come at that rate; <c>usage</c>, what the worker's process holds; <c>stored</c>, what Redis does.
/// </summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config") { Description = "preset of the model", DefaultValueFactory = _ => "m5-paper" };
        var shows = new Option<int>("--shows") { Description = "of the simulated world", DefaultValueFactory = _ => 70_000 };
        var users = new Option<int>("--users") { Description = "of it", DefaultValueFactory = _ => 6000 };
        var batch = new Option<int>("--batch") { Description = "users in a batch of the bare run", DefaultValueFactory = _ => 256 };
        var precision = new Option<ServingPrecision>("--precision") { Description = "of the tower's large products" };
        var settings = new Option<string[]>("--set") { Description = "a setting of the worker, such as Worker:BatchMaxUsers=64" };
        var command = new Command("worker", "measure the worker from event to servable set") { config, shows, users, batch, precision, settings };
        command.SetAction(async (parsed, cancellation) =>
        {
            var side = await WorkerSide.StartAsync(
                new WorkerCase(
                    parsed.GetRequiredValue(config),
                    parsed.GetValue(shows),
                    parsed.GetValue(users),
                    parsed.GetValue(batch),
                    parsed.GetValue(precision),
                    parsed.GetValue(settings) ?? []),
                cancellation).ConfigureAwait(false);
            await using (side.ConfigureAwait(false))
            {
                Answers.Write(side.Describe());
                while (await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
                {
                    Answers.Write(line.Split(' ') switch
                    {
                        ["bare", var seconds] => side.Bare(Number(seconds)),
                        ["flood", var seconds] => await side.FloodAsync(Number(seconds), cancellation).ConfigureAwait(false),
                        ["rate", var rate, var seconds] => await side.RateAsync(Number(rate), Number(seconds), cancellation).ConfigureAwait(false),
                        ["usage"] => await side.UsageAsync(cancellation).ConfigureAwait(false),
                        ["stored"] => await side.StoredAsync().ConfigureAwait(false),
                        _ => throw new InvalidOperationException(
                            $"input: '{line}'; must be 'bare SECONDS', 'flood SECONDS', 'rate EVENTS SECONDS', 'usage' or 'stored'"),
                    });
                }
            }
        });
        return command;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
