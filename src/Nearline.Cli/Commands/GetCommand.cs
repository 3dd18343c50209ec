using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Nearline.Cli.Console;
using Nearline.Contracts.Candidates.V1;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline get USER</c>: asks the api and prints the set.</summary>
internal static class GetCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var user = new Argument<string>("user") { Description = "the user's id" };
        var scenario = new Option<string?>("--scenario")
        {
            Description = "the scenario; default: every scenario in which the user has a set",
        };
        var limit = new Option<int>("--limit") { Description = "at most this many shows", DefaultValueFactory = _ => 20 };
        var variant = new Option<string?>("--variant") { Description = "the experiment whose sets are wanted" };
        var json = new Option<bool>("--json") { Description = "print the response as JSON" };
        var api = CommonOptions.Api();
        var command = new Command("get", "ask the api for a user's candidates") { user, scenario, variant, limit, json, api };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var channel = ApiChannel.Open(parsed.GetRequiredValue(api));
            var client = new CandidateService.CandidateServiceClient(channel);
            var userId = parsed.GetRequiredValue(user);
            var answers = await AskAsync(client, userId, parsed.GetValue(scenario), parsed.GetValue(variant) ?? "", parsed.GetValue(limit), cancellation)
                .ConfigureAwait(false);
            foreach (var (name, response) in answers)
            {
                if (parsed.GetValue(json))
                {
                    System.Console.WriteLine(
                        $"{{\"scenario\":{JsonSerializer.Serialize(name)},\"response\":{JsonFormatter.Default.Format(response)}}}");
                }
                else
                {
                    Print(name, response);
                }
            }

            return 0;
        });
        return command;
    }

    /// <summary>
    /// The given scenario's answer; or those of all scenarios in which the user has a set; or, for a user without any,
    /// the first scenario's fallback.
    /// </summary>
    private static async Task<IReadOnlyList<(string Scenario, GetCandidatesResponse Response)>> AskAsync(
        CandidateService.CandidateServiceClient client,
        string userId,
        string? scenario,
        string variant,
        int limit,
        CancellationToken cancellation)
    {
        IReadOnlyList<string> scenarios = [scenario ?? ""];
        if (scenario is null)
        {
            var known = await client.ListScenariosAsync(
                new ListScenariosRequest(), deadline: DateTime.UtcNow + Patience, cancellationToken: cancellation)
                .ResponseAsync.ConfigureAwait(false);
            scenarios = known.Scenarios.Count > 0
                ? known.Scenarios
                : throw new CliException("the api knows no scenario yet: no worker has loaded a model");
        }

        var answers = new List<(string Scenario, GetCandidatesResponse Response)>();
        foreach (var name in scenarios)
        {
            var request = new GetCandidatesRequest { UserId = userId, Scenario = name, Variant = variant, Limit = limit };
            var response = await client.GetCandidatesAsync(
                request, deadline: DateTime.UtcNow + Patience, cancellationToken: cancellation)
                .ResponseAsync.ConfigureAwait(false);
            answers.Add((name, response));
        }

        var own = answers.Where(a => a.Response.Source is CandidateSource.Personalized or CandidateSource.Stale).ToList();
        return own.Count > 0 ? own : [answers[0]];
    }

    private static void Print(string scenario, GetCandidatesResponse response)
    {
        var source = response.Source switch
        {
            CandidateSource.Personalized => "personalized",
            CandidateSource.Stale => "stale",
            CandidateSource.ScenarioFallback => "scenario fallback",
            CandidateSource.GlobalFallback => "global fallback",
            _ => response.Source.ToString(),
        };
        AnsiConsole.MarkupLineInterpolated(
            $"[bold]{scenario}[/]: {source}{(response.Variant.Length > 0 ? ", variant " + response.Variant : "")}, model {response.ModelVersion}, {response.Age?.ToTimeSpan().TotalSeconds ?? 0:F1} s old, after event {(response.TriggerEventId.Length > 0 ? response.TriggerEventId : "(none)")}");
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("rank", "show", "score", "ID part", "CG part");
        var rank = 0;
        foreach (var candidate in response.Candidates)
        {
            table.AddRow(
                (++rank).ToString(CultureInfo.InvariantCulture),
                Markup.Escape(candidate.ItemId),
                candidate.Score.ToString("F3", CultureInfo.InvariantCulture),
                candidate.IdScore.ToString("F3", CultureInfo.InvariantCulture),
                candidate.CgScore.ToString("F3", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }
}
