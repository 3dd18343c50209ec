using System.CommandLine;
using Confluent.Kafka;
using Nearline.Cli.Console;
using Nearline.Cli.DeadLetters;
using Nearline.Contracts;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline dlq</c>: what the worker could not use, and a way back for it.</summary>
internal static class DlqCommand
{
    public static Command Create() =>
        new("dlq", "list, show and replay dead letters: records that the worker could not use") { List(), Show(), Replay() };

    private static Option<string> Topic() => new("--topic") { Description = "the dead-letter topic", DefaultValueFactory = _ => KafkaTopics.UserEventsDlq };

    private static Option<string?> Where() => new("--error") { Description = "only those whose error contains this" };

    private static Command List()
    {
        var (bootstrap, topic, where) = (CommonOptions.Bootstrap(), Topic(), Where());
        var limit = new Option<int>("--limit") { Description = "print the newest of them, at most so many", DefaultValueFactory = _ => 20 };
        var command = new Command("list", "count dead letters by what is wrong, and print the newest") { bootstrap, topic, where, limit };
        command.SetAction((parsed, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            if (most < 0)
            {
                throw new CliException($"--limit is {most}; it must be 0 or more");
            }

            var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
            var newest = new PriorityQueue<DeadRecord, DateTimeOffset>();
            foreach (var record in Read(parsed.GetRequiredValue(bootstrap), parsed.GetRequiredValue(topic), parsed.GetValue(where), cancellation))
            {
                counts[record.Field] = counts.GetValueOrDefault(record.Field) + 1;
                newest.Enqueue(record, record.Time);
                if (newest.Count > most)
                {
                    newest.Dequeue();
                }
            }

            AnsiConsole.WriteLine($"{counts.Values.Sum():N0} dead letters in {parsed.GetRequiredValue(topic)}");
            foreach (var (field, count) in counts.OrderByDescending(c => c.Value))
            {
                AnsiConsole.WriteLine($"{count,9:N0}  {field}");
            }

            foreach (var record in newest.UnorderedItems.Select(i => i.Element).OrderBy(r => r.Time))
            {
                AnsiConsole.WriteLine($"{record.Place}  {record.Time:yyyy-MM-ddTHH:mm:ss.fffZ}  key {record.KeyText}  from {record.Origin}  {record.Error}");
            }

            return Task.FromResult(0);
        });
        return command;
    }

    private static Command Show()
    {
        var (bootstrap, topic) = (CommonOptions.Bootstrap(), Topic());
        var place = new Argument<string>("place") { Description = "partition/offset, as list prints it" };
        var command = new Command("show", "print a dead letter whole") { place, bootstrap, topic };
        command.SetAction((parsed, cancellation) =>
        {
            var record = Chosen([parsed.GetRequiredValue(place)], parsed.GetRequiredValue(bootstrap), parsed.GetRequiredValue(topic), cancellation).Single();
            AnsiConsole.WriteLine($"place    {record.Place}");
            AnsiConsole.WriteLine($"time     {record.Time:O}");
            AnsiConsole.WriteLine($"error    {record.Error}");
            AnsiConsole.WriteLine($"origin   {record.Origin}");
            AnsiConsole.WriteLine($"attempts {record.Attempts}");
            AnsiConsole.WriteLine($"key      {record.KeyText}");
            AnsiConsole.WriteLine($"value    {record.ValueText()}");
            foreach (var (name, _) in record.Headers.Where(h => !h.Key.StartsWith("nl-", StringComparison.Ordinal)))
            {
                AnsiConsole.WriteLine($"header   {name}: {record.Header(name)}");
            }

            return Task.FromResult(0);
        });
        return command;
    }

    private static Command Replay()
    {
        var (bootstrap, topic, where) = (CommonOptions.Bootstrap(), Topic(), Where());
        var places = new Argument<string[]>("places") { Description = "partition/offset of each, as list prints it", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "all of them, or with --error all those" };
        var to = new Option<string?>("--to") { Description = "the topic to send them to; default: the one that each came from" };
        var dryRun = new Option<bool>("--dry-run") { Description = "say what would be sent, send nothing" };
        var command = new Command("replay", "send dead letters again as they were; each counts once, however often it is sent")
        {
            places, all, where, to, dryRun, bootstrap, topic,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var chosen = parsed.GetValue(places) ?? [];
            if (chosen.Length > 0 == parsed.GetValue(all))
            {
                throw new CliException("dlq replay needs either places, like 0/17, or --all");
            }

            var (servers, from) = (parsed.GetRequiredValue(bootstrap), parsed.GetRequiredValue(topic));
            var records = chosen.Length > 0 ? Chosen(chosen, servers, from, cancellation) : Read(servers, from, parsed.GetValue(where), cancellation);
            using var replayer = new DeadLetterReplayer(servers, parsed.GetValue(to), parsed.GetValue(dryRun));
            var sent = 0;
            foreach (var record in records)
            {
                if (await replayer.SendAsync(record, cancellation).ConfigureAwait(false) is { } problem)
                {
                    AnsiConsole.WriteLine($"{record.Place}: not sent: {problem}");
                    continue;
                }

                sent++;
            }

            AnsiConsole.WriteLine($"{sent:N0} {(parsed.GetValue(dryRun) ? "would be sent" : "sent")}, {replayer.Refused:N0} not");
            return replayer.Refused == 0 ? 0 : 1;
        });
        return command;
    }

    private static IEnumerable<DeadRecord> Read(string servers, string topic, string? error, CancellationToken cancellation) =>
        new DeadLetterTopic(servers, topic).Read(cancellation)
            .Where(r => error is null || r.Error.Contains(error, StringComparison.OrdinalIgnoreCase));

    private static List<DeadRecord> Chosen(IReadOnlyCollection<string> places, string servers, string topic, CancellationToken cancellation)
    {
        var records = Read(servers, topic, null, cancellation).Where(r => places.Contains(r.Place)).ToList();
        return places.FirstOrDefault(p => records.TrueForAll(r => r.Place != p)) is { } missing
            ? throw new CliException($"'{missing}' is no dead letter in {topic}; a place is partition/offset, as nearline dlq list prints it")
            : records;
    }
}
