using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Nearline.Contracts.Candidates.V1;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline explain USER SHOW</c>: why a show is among a user's candidates, or why not.</summary>
internal static class ExplainCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var user = new Argument<string>("user") { Description = "the user's id" };
        var show = new Argument<string>("show") { Description = "the show's id" };
        var scenario = new Option<string>("--scenario") { Description = "the scenario", Required = true };
        var variant = new Option<string?>("--variant") { Description = "the experiment whose set is meant" };
        var json = new Option<bool>("--json") { Description = "print the response as JSON" };
        var api = CommonOptions.Api();
        var command = new Command("explain", "ask the api why a show is among a user's candidates, or why not")
        {
            user, show, scenario, variant, json, api,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var channel = ApiChannel.Open(parsed.GetRequiredValue(api));
            var response = await new CandidateService.CandidateServiceClient(channel).ExplainCandidateAsync(
                new ExplainCandidateRequest
                {
                    UserId = parsed.GetRequiredValue(user),
                    ItemId = parsed.GetRequiredValue(show),
                    Scenario = parsed.GetRequiredValue(scenario),
                    Variant = parsed.GetValue(variant) ?? "",
                },
                deadline: DateTime.UtcNow + Patience,
                cancellationToken: cancellation).ResponseAsync.ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                System.Console.WriteLine(JsonFormatter.Default.Format(response));
            }
            else
            {
                Print(response);
            }

            return 0;
        });
        return command;
    }

    private static void Print(ExplainCandidateResponse response)
    {
        Line($"{response.Reason}");
        Line($"stored     {(response.Served ? "served" : "not served")}, {Source(response)}, model {response.ModelVersion}{(response.Rank > 0 ? Text($", number {response.Rank}") : "")}");
        if (response.Explanation is not { } now)
        {
            return;
        }

        Line($"now        model {now.ModelVersion}{(now.Variant.Length > 0 ? ", variant " + now.Variant : "")}, at {now.ExplainedFor.ToDateTimeOffset():u}");
        foreach (var verdict in now.Masks)
        {
            Line($"  {(verdict.Passes ? "passes  " : "KEPT OUT")} {verdict.Detail}");
        }

        if (now.Scores is { } scores)
        {
            Line($"  score    {scores.Score:0.####} = w f_ID + (1 - w) f_CG = {scores.Weight:0.###} x {scores.FId:0.####} + {1 - scores.Weight:0.###} x {scores.FCg:0.####} = {scores.IdScore:0.####} + {scores.CgScore:0.####}");
        }

        Line($"  place    {(now.Rank > 0 ? Text($"{now.Rank} of {now.SetCount}") : Text($"not in the set of {now.SetCount}, which ends at {now.SetLastScore:0.####}"))}{(now.RankAmongAll > 0 ? Text($"; {now.RankAmongAll} by score among {now.ServableCount} shows that the user may get") : "")}");
        if (now.Behaviours.Count > 0)
        {
            Line($"  past     {Did(now.Behaviours)}");
        }

        Near("by ID", now.NearestById);
        Near("by content", now.NearestByContent);
    }

    private static void Near(string channel, IReadOnlyList<HistoryNeighbour> shows)
    {
        foreach (var show in shows)
        {
            Line($"  nearest {channel}: {show.ItemId}, cosine {show.Cosine:0.000}, {Did(show.Behaviours)}");
        }
    }

    private static string Did(IEnumerable<PastBehaviour> behaviours) => string.Join(", ", behaviours.Select(b => Text(
        $"{Verb(b.Kind)}{(b.Played is { } played ? Text($" {played.ToTimeSpan().TotalMinutes:0} min") : "")} {b.Time.ToDateTimeOffset():yyyy-MM-dd}")));

    private static string Verb(PastBehaviourKind kind) => kind switch
    {
        PastBehaviourKind.Watch => "watched",
        PastBehaviourKind.Save => "saved",
        PastBehaviourKind.Like => "liked",
        PastBehaviourKind.Dislike => "disliked",
        _ => kind.ToString(),
    };

    private static string Source(ExplainCandidateResponse response) => response.Source switch
    {
        CandidateSource.Personalized => response.Variant.Length > 0 ? $"the user's own set of {response.Variant}" : "the user's own set",
        CandidateSource.ScenarioFallback => "the scenario's fallback list",
        _ => "the global fallback list",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(FormattableString text) => AnsiConsole.WriteLine(Text(text));
}
