using System.CommandLine;
using Nearline.Cli.Console;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline publish</c>: replays a data set's events to Kafka.</summary>
internal static class PublishCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var bootstrap = CommonOptions.Bootstrap();
        var rate = new Option<double>("--rate") { Description = "events a second; 0: as fast as Kafka takes them", DefaultValueFactory = _ => 0 };
        var limit = new Option<int?>("--limit") { Description = "stop after so many events" };
        var topic = new Option<string>("--topic") { Description = "the topic", DefaultValueFactory = _ => KafkaTopics.UserEvents };
        var command = new Command("publish", "replay a data set's events to Kafka, in the order of their times")
        {
            data, name, bootstrap, rate, limit, topic,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var eventsPerSecond = parsed.GetValue(rate);
            if (eventsPerSecond < 0)
            {
                throw new CliException($"--rate is {eventsPerSecond}; it must be 0 or more");
            }

            var dataset = await DatasetInput.ReadAsync(parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            var events = UserEvents.Merged(dataset.Users);
            var total = dataset.Users.Sum(u => u.Actions.Count + 1);
            if (parsed.GetValue(limit) is { } most)
            {
                events = events.Take(most);
                total = Math.Min(total, most);
            }

            using var publisher = new EventPublisher(parsed.GetRequiredValue(bootstrap), parsed.GetRequiredValue(topic));
            var count = await Steps.RunAsync("publish", progress => publisher.PublishAllAsync(
                events,
                eventsPerSecond,
                sent => progress.Report(new StepProgress((double)sent / total, $"{sent:N0} of {total:N0}")),
                cancellation)).ConfigureAwait(false);
            AnsiConsole.WriteLine($"published {count:N0} events of {dataset.Users.Count:N0} users to {parsed.GetRequiredValue(topic)}");
            return 0;
        });
        return command;
    }
}
