using Nearline.Cli.Console;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Model.Data;
using Spectre.Console;

namespace Nearline.Cli.Local;

/// <summary>Publishes users' histories and waits until the worker has stored what they lead to.</summary>
internal static class HistoryLoader
{
    /// <summary>The worker's consumer group by default.</summary>
    private const string WorkerGroup = "nearline-worker";

    // The mock keeps about 5 MiB a partition; a producer that is so far ahead waits for the worker.
    private const int MaxAhead = 20_000;

    /// <returns>How many events were published.</returns>
    public static async Task<int> LoadAsync(
        LocalStack stack, EventPublisher publisher, IReadOnlyList<UserLog> users, CancellationToken cancellationToken)
    {
        using var lag = new GroupLag(stack.Kafka.BootstrapServers, WorkerGroup, KafkaTopics.UserEvents);
        var total = users.Sum(u => u.Actions.Count + 1);
        var start = TimeProvider.System.GetTimestamp();
        var count = await Steps.RunAsync("publish history", async progress =>
        {
            var sent = 0;
            foreach (var chunk in UserEvents.Merged(users).Chunk(MaxAhead / 2))
            {
                sent += await publisher.PublishAllAsync(chunk, 0, null, cancellationToken).ConfigureAwait(false);
                progress.Report(new StepProgress((double)sent / total, $"{sent:N0} of {total:N0} sent"));
                while (await Task.Run(lag.Read, cancellationToken).ConfigureAwait(false) > MaxAhead / 2)
                {
                    await Task.Delay(50, cancellationToken).ConfigureAwait(false);
                }
            }

            await lag.WaitUntilCaughtUpAsync(
                behind => progress.Report(new StepProgress(1 - ((double)behind / total), $"{behind:N0} to go")),
                cancellationToken).ConfigureAwait(false);
            return sent;
        }).ConfigureAwait(false);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        AnsiConsole.WriteLine($"{count:N0} events of {users.Count:N0} users published, folded and servable in {seconds:F1} s");
        return count;
    }
}
