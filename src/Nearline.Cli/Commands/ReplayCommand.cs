using System.CommandLine;
using Nearline.Cli.Replaying;
using Nearline.Contracts;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline replay</c>: what states and sets the events of the past lead to, beside those that are served.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var (bootstrap, redis, models) = (CommonOptions.Bootstrap(), CommonOptions.Redis(), CommonOptions.Models());
        var topic = new Option<string>("--topic") { Description = "the topic of user events", DefaultValueFactory = _ => KafkaTopics.UserEvents };
        var prefix = new Option<string>("--prefix") { Description = "what comes before every key that is written, such as shadow:", Required = true };
        var from = new Option<string?>("--from") { Description = "a time, such as 2026-11-01T00:00:00Z, or an offset in every partition; default: the oldest that Kafka has" };
        var drop = new Option<bool>("--drop") { Description = "remove what a replay wrote under the prefix, and replay nothing" };
        var command = new Command("replay", "fold events of the past into states and sets under a prefix, beside those that are served")
        {
            bootstrap, redis, models, topic, prefix, from, drop,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new ReplayOptions(
                parsed.GetRequiredValue(bootstrap),
                parsed.GetRequiredValue(redis),
                parsed.GetRequiredValue(models),
                parsed.GetRequiredValue(topic),
                parsed.GetRequiredValue(prefix),
                parsed.GetValue(from) is { } text ? ReplayStart.Parse(text) : null);
            options.Validate();
            if (parsed.GetValue(drop))
            {
                var removed = await ShadowKeys.DropAsync(options.Redis, options.Prefix, cancellation).ConfigureAwait(false);
                AnsiConsole.WriteLine($"{removed:N0} keys that began with '{options.Prefix}' are removed");
                return 0;
            }

            await Replayer.RunAsync(options, cancellation).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
