using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Contracts;
using Nearline.LocalServers.Processes;
using Spectre.Console;

namespace Nearline.Cli.Replaying;

/// <summary>
/// Folds a part of the event topic into states and sets beside those that are served: a worker of its own, in a consumer
/// group of its own, writes under a prefix until it has reached what was the end. The served keys, the dead-letter topic
/// and the offsets of the serving group stay as they are.
/// </summary>
internal static class Replayer
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <exception cref="CliException">A value is wrong, or the worker ended.</exception>
    public static async Task<long> RunAsync(ReplayOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        using var group = new ReplayGroup(options.Bootstrap, $"nearline-replay-{Guid.NewGuid():N}");
        await Task.Run(
            () =>
            {
                group.Begin(options.Topic, options.From);
                group.Skip(KafkaTopics.Refresh);
            },
            cancellationToken).ConfigureAwait(false);
        var start = TimeProvider.System.GetTimestamp();
        var worker = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "dotnet",
            Arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "Nearline.Worker.dll"),
                "--urls=http://127.0.0.1:0",
                "--Worker:GrpcPort=-1",
                $"--Kafka:BootstrapServers={options.Bootstrap}",
                $"--Kafka:GroupId={group.Name}",
                $"--Kafka:UserEventsTopic={options.Topic}",
                "--Kafka:DeadLetterTopic=",
                $"--Redis:ConnectionString={options.Redis}",
                $"--Worker:KeyPrefix={options.Prefix}",
                $"--Worker:ModelsDirectory={Path.GetFullPath(options.Models)}",

                // Sets of a past moment are of no use one by one: each user's last one is what is wanted.
                "--Worker:Debounce=00:00:10",
            ],
            OwnSession = true,
        });
        await using (worker.ConfigureAwait(false))
        {
            var ended = worker.WaitForExitAsync(cancellationToken);
            await Steps.RunAsync("replay", async progress =>
            {
                while (true)
                {
                    var left = await Task.Run(group.Left, cancellationToken).ConfigureAwait(false);
                    progress.Report(new StepProgress(
                        group.Total == 0 ? 1 : 1 - ((double)left / group.Total), $"{group.Total - left:N0} of {group.Total:N0} records"));
                    if (left == 0)
                    {
                        return true;
                    }

                    if (ended.IsCompleted)
                    {
                        throw new CliException((await worker.UnexpectedExitAsync().ConfigureAwait(false)).Message);
                    }

                    await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
            await worker.StopAsync(StopGrace, CancellationToken.None).ConfigureAwait(false);
        }

        AnsiConsole.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{group.Total:N0} records of {group.Partitions} partitions replayed in {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F1} s; states and sets begin with '{options.Prefix}'"));
        return group.Total;
    }
}
