using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Nearline.Cli.Console;
using Nearline.Cli.Local;
using Nearline.Cli.Modelling;
using Nearline.Cli.Publishing;
using Nearline.Contracts.Candidates.V1;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Spectre.Console;

namespace Nearline.Cli.Demo;

/// <summary>
/// The whole way of an event, on real parts: trains a model without each user's last watch, starts all services,
/// publishes what came before, asks for the sets, then publishes the watches that were kept back and sees the sets
/// follow. Checks itself.
/// </summary>
internal sealed class DemoRun(DemoOptions options)
{
    private const int ShownShows = 5;
    private const int WholeSet = 0;
    private const int RankingLimit = 100;
    private const int Gets = 2000;

    private readonly DemoChecks checks = new();
    private Dictionary<string, Show> shows = [];

    /// <returns>0 when every check held, else 1.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Heading("1. Data and model");
        var (data, origin) = await DemoData.LoadAsync(options.Data, options.Dataset, cancellationToken).ConfigureAwait(false);
        AnsiConsole.WriteLine($"{origin}: {Commands.DatasetOutput.Describe(data)}");
        shows = data.Shows.ToDictionary(s => s.Id, StringComparer.Ordinal);
        var split = Splits.LeaveOneOut(data);
        var heldOut = split.Test.DistinctBy(t => t.User)
            .Select(t => new HeldOut(data.Users[t.User], t.Action, t.Scenario))
            .ToList();

        if (Directory.Exists(options.Directory))
        {
            Directory.Delete(options.Directory, recursive: true);
        }

        var models = Path.Combine(options.Directory, "models");
        var trained = await ModelTraining.RunAsync(
            split,
            new ModelTrainingOptions { Models = models, Device = options.Device, Epochs = options.Epochs },
            cancellationToken).ConfigureAwait(false);
        Evaluations.Print(trained.Evaluations);
        var m5 = trained.M5.Average;
        var popularity = trained.Popularity.Average;
        checks.That(
            m5.Hr20 > popularity.Hr20,
            $"M5 does not beat popularity: HR@20 {m5.Hr20:F4} against {popularity.Hr20:F4}");

        Heading("2. Kafka, Redis, worker and api");
        var stack = await Steps.RunAsync("start", _ => LocalStack.StartAsync(
            new LocalStackOptions(models) { Device = options.Device }, cancellationToken)).ConfigureAwait(false);
        await using (stack.ConfigureAwait(false))
        {
            AnsiConsole.WriteLine($"Kafka {stack.Kafka.BootstrapServers} · Redis {stack.Redis.Address} · gRPC {stack.GrpcAddress} · metrics {stack.ApiAddress}/metrics {stack.WorkerAddress}/metrics");

            Heading("3. History");
            using var publisher = new EventPublisher(stack.Kafka.BootstrapServers, source: "nearline-demo");
            var published = await PublishHistoryAsync(stack, publisher, split, heldOut, cancellationToken).ConfigureAwait(false);
            using var reader = new CandidateReader(stack.GrpcAddress);
            var served = await ServedHitRatioAsync(reader, split.Test, data, cancellationToken).ConfigureAwait(false);
            AnsiConsole.WriteLine($"sets as served over gRPC: HR@20 {served:F4} (offline evaluation {m5.Hr20:F4})");
            checks.That(
                Math.Abs(served - m5.Hr20) <= 0.01,
                $"what is served differs from what was evaluated: HR@20 {served:F4} against {m5.Hr20:F4}");

            Heading("4. Sets follow events");
            var probe = new LatencyProbe(publisher, reader);
            foreach (var user in heldOut.Take(options.Shown))
            {
                await ShowAsync(user, probe, reader, cancellationToken).ConfigureAwait(false);
            }

            await Steps.RunAsync("latency", async progress =>
            {
                var rest = heldOut.Skip(options.Shown).Take(options.Probes).ToList();
                foreach (var user in rest)
                {
                    await FollowAsync(user, probe, reader, cancellationToken).ConfigureAwait(false);
                    progress.Report(new StepProgress((double)probe.Count / (rest.Count + options.Shown)));
                }

                return true;
            }).ConfigureAwait(false);
            published += probe.Count;
            var gets = await GetLatencyAsync(reader, heldOut, cancellationToken).ConfigureAwait(false);
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{probe.Count} events, each followed: servable after p50 {probe.Latencies.Quantile(0.5):F1} ms, p99 {probe.Latencies.Quantile(0.99):F1} ms; GetCandidates of {RankingLimit} shows, one call after the other: p50 {gets.Quantile(0.5):F2} ms, p99 {gets.Quantile(0.99):F2} ms"));

            Heading("5. Metrics");
            await CheckMetricsAsync(stack, cancellationToken).ConfigureAwait(false);

            checks.Print();
            var report = new DemoReport(
                checks.Passed ? "ok" : "failed",
                data.Users.Count,
                published,
                Math.Round(probe.Latencies.Quantile(0.5), 1),
                Math.Round(probe.Latencies.Quantile(0.99), 1),
                Math.Round(m5.Hr20, 4),
                Math.Round(popularity.Hr20, 4),
                Math.Round(m5.Hr100, 4),
                Math.Round(popularity.Hr100, 4),
                Math.Round(served, 4),
                Math.Round(gets.Quantile(0.5), 2),
                Math.Round(gets.Quantile(0.99), 2));
            System.Console.WriteLine(JsonSerializer.Serialize(report));
            return checks.Passed ? 0 : 1;
        }
    }

    private static void Heading(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    private static async Task<int> PublishHistoryAsync(
        LocalStack stack, EventPublisher publisher, Split split, List<HeldOut> heldOut, CancellationToken cancellationToken)
    {
        // Everything up to the watch that was kept back; users without one entirely.
        var until = heldOut.ToDictionary(h => h.UserId, h => h.Index, StringComparer.Ordinal);
        var users = split.Dataset.Users
            .Select(u => until.TryGetValue(u.User.Id, out var index) ? u with { Actions = [.. u.Actions.Take(index)] } : u)
            .ToList();
        return await HistoryLoader.LoadAsync(stack, publisher, users, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>HR@20 of the sets as the ranking stage gets them, averaged over the scenarios like the offline figure.</summary>
    private static async Task<double> ServedHitRatioAsync(
        CandidateReader reader, IReadOnlyList<EvaluationTarget> targets, Dataset data, CancellationToken cancellationToken)
    {
        // A set is as of the last history event, so only each user's first target can be compared.
        var first = targets.GroupBy(t => t.User).SelectMany(g => g.Where(t => t.Action == g.Min(x => x.Action))).ToList();
        var answers = await reader.MultiGetAsync(
            [.. first.Select(t => (data.Users[t.User].User.Id, t.Scenario))], 20, cancellationToken).ConfigureAwait(false);
        return first.Zip(answers)
            .GroupBy(p => p.First.Scenario, StringComparer.Ordinal)
            .Average(scenario => scenario.Average(p =>
                p.Second.Response?.Candidates.Any(c => c.ItemId == p.First.ShowId) == true ? 1.0 : 0.0));
    }

    /// <summary>How long the ranking stage waits for a set, one call at a time over one connection.</summary>
    private static async Task<Latencies> GetLatencyAsync(
        CandidateReader reader, List<HeldOut> users, CancellationToken cancellationToken)
    {
        var latencies = new Latencies();
        for (var i = 0; i < Gets && users.Count > 0; i++)
        {
            var user = users[i % users.Count];
            var start = Stopwatch.GetTimestamp();
            await reader.GetAsync(user.UserId, user.Scenario, RankingLimit, cancellationToken).ConfigureAwait(false);
            latencies.Add(Stopwatch.GetElapsedTime(start));
        }

        return latencies;
    }

    private async Task ShowAsync(
        HeldOut user, LatencyProbe probe, CandidateReader reader, CancellationToken cancellationToken)
    {
        var history = user.Log.Actions.Take(user.Index).Where(a => a.ShowId is not null).TakeLast(ShownShows).ToList();
        var (before, after, milliseconds) = await FollowAsync(user, probe, reader, cancellationToken).ConfigureAwait(false);

        AnsiConsole.MarkupLineInterpolated($"[bold]user {user.UserId}[/], scenario {user.Scenario}");
        AnsiConsole.MarkupLineInterpolated($"  lately   {string.Join(" · ", history.Select(a => $"{a.Kind.ToString().ToLowerInvariant()} {Title(a.ShowId!)}"))}");
        AnsiConsole.MarkupLineInterpolated($"  event    watch [yellow]{Title(user.ShowId)}[/] (it was at rank {Rank(before, user.ShowId)})");
        AnsiConsole.MarkupLineInterpolated($"  before   {Top(before)}");
        AnsiConsole.MarkupLineInterpolated($"  after    {Top(after)}");
        AnsiConsole.MarkupLineInterpolated($"  servable {milliseconds:F1} ms after the event was sent; {Ids(before).Except(Ids(after), StringComparer.Ordinal).Count()} of {before.Candidates.Count} shows left the set");
    }

    private async Task<(GetCandidatesResponse Before, GetCandidatesResponse After, double Milliseconds)> FollowAsync(
        HeldOut user, LatencyProbe probe, CandidateReader reader, CancellationToken cancellationToken)
    {
        var message = UserEvents.Action(user.UserId, user.Index, user.Log.Actions[user.Index]);
        var before = await reader.GetAsync(user.UserId, user.Scenario, WholeSet, cancellationToken).ConfigureAwait(false);
        checks.That(
            before.Source == CandidateSource.Personalized,
            $"user {user.UserId}: the set before the event is {before.Source}, not personalized");
        var (after, milliseconds) = await probe.MeasureAsync(message, user.Scenario, WholeSet, cancellationToken)
            .ConfigureAwait(false);
        checks.Followed(user.UserId, user.ShowId, message.EventId, Ids(before), Ids(after), after.TriggerEventId);
        return (before, after, milliseconds);
    }

    private async Task CheckMetricsAsync(LocalStack stack, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        foreach (var (service, address, names) in DemoMetrics.Expected(stack))
        {
            var text = await http.GetStringAsync(new Uri(address + "/metrics"), cancellationToken).ConfigureAwait(false);
            checks.HasMetrics(service, text, names);
            AnsiConsole.WriteLine($"{service}: {text.Split('\n').Count(l => l.StartsWith("# TYPE", StringComparison.Ordinal))} metrics at {address}/metrics");
        }
    }

    private static List<string> Ids(GetCandidatesResponse response) => [.. response.Candidates.Select(c => c.ItemId)];

    private static string Rank(GetCandidatesResponse set, string showId)
    {
        var index = Ids(set).IndexOf(showId);
        return index < 0 ? $"beyond {set.Candidates.Count}" : (index + 1).ToString(CultureInfo.InvariantCulture);
    }

    private string Top(GetCandidatesResponse set) =>
        string.Join(" · ", set.Candidates.Take(ShownShows).Select(c => Title(c.ItemId)));

    private string Title(string showId) =>
        shows.TryGetValue(showId, out var show) && show.Title.Length > 0 ? show.Title : showId;
}
