using System.CommandLine;
using System.Globalization;
using Nearline.Cli.Capacity;
using Nearline.Cli.Console;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline capacity</c>: what a number of subscribers needs, computed from measured figures.</summary>
internal static class CapacityCommand
{
    private const int Sampled = 500;
    private const string Given = "given";
    private const string Assumed = "assumed; give yours";

    private static readonly double[] UsualSubscribers = [1e6, 1e7, 1e8];

    public static Command Create()
    {
        var subscribers = new Option<double[]>("--subscribers")
        {
            Description = "how many; default: 1, 10 and 100 million",
            AllowMultipleArgumentsPerToken = true,
        };
        var results = new Option<string>("--results") { Description = "the benchmarks' results", DefaultValueFactory = _ => "bench/results" };
        var redis = new Option<string?>("--redis") { Description = "a Redis that serves users: bytes are taken from there" };
        var gpu = new Option<double?>("--users-per-gpu") { Description = "users/s of a GPU; workers have one each then" };
        var core = Number("--users-per-core", "users/s a core makes sets for");
        var state = Number("--state-bytes", "bytes of a state and the watched shows in Redis");
        var set = Number("--set-bytes", "bytes of a set in Redis");
        var sets = Number("--sets", "sets of a user: scenarios");
        var events = Number("--events", "events of a subscriber and day");
        var renewing = Number("--renewing", "share of events that renew sets, 0 to 1");
        var peak = Number("--peak", "the busiest hour, as a multiple of the average");
        var active = Number("--active", "share of subscribers who were there within the sets' time to live, 0 to 1");
        var utilization = Number("--utilization", "how busy cores and memory may be, 0 to 1");
        var cores = Number("--cores", "cores of a worker");
        var master = Number("--master-gb", "memory of a Redis master, GB");
        var replicas = Number("--replicas", "copies of each Redis master");
        var price = Number("--price", "price of a core, or a GPU, an hour");
        var memory = Number("--memory-price", "price of a GB of Redis an hour");
        var command = new Command("capacity", "partitions, workers, Redis and cost for a number of subscribers, with the arithmetic")
        {
            subscribers, results, redis, gpu, core, state, set, sets, events, renewing, peak, active, utilization, cores, master, replicas, price, memory,
        };
        command.SetAction(async (parsed, _) =>
        {
            var sample = parsed.GetValue(redis) is { } server ? await RedisSample.TakeAsync(server, Sampled).ConfigureAwait(false) : null;
            var sampled = sample is null ? "" : $"measured: {sample.Users} users in Redis";
            var scenarios = Take(sets, "sets a user", sample?.SetsPerUser, sampled, 4);
            var onGpu = parsed.GetValue(gpu);
            var perCore = onGpu is null && parsed.GetValue(core) is null ? new MeasuredFigures(parsed.GetRequiredValue(results)).UsersPerCore(scenarios.Value) : null;
            var figures = new CapacityFigures
            {
                Unit = onGpu is null ? "core" : "GPU",
                StateBytes = Take(state, "bytes a state", sample?.StateBytes, sampled, 4000),
                SetBytes = Take(set, "bytes a set", sample?.SetBytes, sampled, 6000),
                SetsPerUser = scenarios,
                UsersPerSecond = onGpu is { } rate
                    ? new Figure("users/s a GPU", Positive("--users-per-gpu", rate), Given)
                    : Take(core, "users/s a core", perCore?.Value, perCore?.Source ?? "", 100),
                EventsPerDay = Take(events, "events a subscriber and day", null, "", 10),
                RenewingShare = Share("--renewing", Take(renewing, "share of events that renew sets", null, "", 0.5)),
                PeakFactor = Take(peak, "peak hour / average hour", null, "", 3),
                ActiveShare = Share("--active", Take(active, "share of subscribers with sets", null, "", 0.6)),
                Utilization = Share("--utilization", Take(utilization, "utilization allowed", null, "", 0.7)),
                UnitsPerWorker = onGpu is null ? Take(cores, "cores a worker", null, "", 8) : new Figure("GPUs a worker", 1, "one each"),
                MasterBytes = Take(master, "GB a Redis master", null, "", 25) is var gb ? gb with { Name = "bytes a Redis master", Value = gb.Value * 1e9 } : gb,
                Replicas = Take(replicas, "copies of a master", null, "", 1),
                UnitPrice = Take(price, onGpu is null ? "price of a core-hour" : "price of a GPU-hour", null, "", onGpu is null ? 0.05 : 4),
                MemoryPrice = Take(memory, "price of a GB-hour of Redis", null, "", 0.01),
            };
            Print(figures, [.. (parsed.GetValue(subscribers) is { Length: > 0 } given ? given : UsualSubscribers)
                .Select(n => CapacityPlan.Of(Positive("--subscribers", n), figures))]);
            return 0;

            Figure Take(Option<double?> option, string name, double? measured, string source, double otherwise) =>
                parsed.GetValue(option) is { } value ? new Figure(name, Positive(option.Name, value), Given)
                : measured is > 0 and var found ? new Figure(name, found, source)
                : new Figure(name, otherwise, Assumed);
        });
        return command;
    }

    private static Option<double?> Number(string name, string description) => new(name) { Description = description };

    private static double Positive(string name, double value) => value is > 0 and < 1e15
        ? value
        : throw new CliException(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; a number above 0 is needed"));

    private static Figure Share(string name, Figure figure) => figure.Value <= 1
        ? figure
        : throw new CliException(string.Create(CultureInfo.InvariantCulture, $"{name} is {figure.Value}; a share above 0 and at most 1 is needed"));

    private static void Print(CapacityFigures figures, IReadOnlyList<CapacityPlan> plans)
    {
        foreach (var figure in figures.All)
        {
            AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{figure.Value,16:#,0.####}  {figure.Name} ({figure.Source})"));
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns(
            "subscribers", "events/s", "renewals/s", "workers", "partitions", "Redis GB", "masters", "written MB/s", "cost a month");
        foreach (var plan in plans)
        {
            table.AddRow([.. new[]
            {
                plan.Subscribers, plan.Events, plan.Renewals, plan.Workers, plan.Partitions, plan.RedisBytes / 1e9, plan.Masters, plan.WriteBytes / 1e6,
                plan.MonthlyCost,
            }.Select(v => v.ToString("N0", CultureInfo.InvariantCulture))]);
        }

        AnsiConsole.Write(table);
        foreach (var plan in plans)
        {
            AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Subscribers:N0} subscribers"));
            foreach (var step in plan.Steps)
            {
                AnsiConsole.WriteLine($"  {step}");
            }
        }
    }
}
