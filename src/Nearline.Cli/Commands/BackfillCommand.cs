using System.CommandLine;
using Nearline.Cli.Backfilling;
using Nearline.Cli.Console;
using Nearline.Contracts.Storage.V1;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline backfill</c>: asks the workers to make all users' sets again, and shows how far they are.</summary>
internal static class BackfillCommand
{
    private const double UsualRate = 1000;

    public static Command Create()
    {
        var redis = CommonOptions.Redis();
        var scenario = new Option<string?>("--scenario") { Description = "only users who are served in this scenario; default: all users" };
        var rate = new Option<double>("--rate") { Description = "users a second at most", DefaultValueFactory = _ => UsualRate };
        var outdated = new Option<bool>("--outdated") { Description = "only users whose sets are not of the models served now" };
        var detach = new Option<bool>("--detach") { Description = "do not wait for its end" };
        var status = new Option<bool>("--status") { Description = "show the latest backfill, begin none" };
        var cancel = new Option<bool>("--cancel") { Description = "end the backfill that is under way" };
        var command = new Command("backfill", "make the sets of all users again, while the workers have nothing better to do")
        {
            scenario, rate, outdated, detach, status, cancel, redis,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var backfills = await Backfills.ConnectAsync(parsed.GetRequiredValue(redis)).ConfigureAwait(false);
            if (parsed.GetValue(status))
            {
                Print(await backfills.StateAsync().ConfigureAwait(false));
                return 0;
            }

            if (parsed.GetValue(cancel))
            {
                AnsiConsole.WriteLine(await backfills.CancelAsync().ConfigureAwait(false) ? "the backfill ends" : "no backfill is under way");
                return 0;
            }

            var job = await backfills.BeginAsync(parsed.GetValue(scenario) ?? "", parsed.GetValue(rate), parsed.GetValue(outdated)).ConfigureAwait(false);
            if (parsed.GetValue(detach))
            {
                AnsiConsole.WriteLine($"backfill {job.Id} is asked for; nearline backfill --status tells how far it is");
                return 0;
            }

            return await FollowAsync(backfills, job.Id, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> FollowAsync(Backfills backfills, string id, CancellationToken cancellation)
    {
        BackfillState last = new(null, null);
        await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("waiting for a worker", maxValue: 1);
                await foreach (var state in backfills.FollowAsync(id, cancellation).ConfigureAwait(false))
                {
                    last = state;
                    bar.Value = state.Fraction;
                    bar.Description = state.Progress is { } progress
                        ? $"{progress.RequestedUsers - progress.WaitingRequests:N0} of {progress.RequestedUsers:N0} users found are done"
                        : "waiting for a worker";
                }
            }).ConfigureAwait(false);
        Print(last);
        return last.Job?.Id == id && !last.Job.Cancelled ? 0 : 1;
    }

    private static void Print(BackfillState state)
    {
        if (state.Job is not { } job)
        {
            AnsiConsole.WriteLine("no backfill was ever asked for");
            return;
        }

        var why = job.Reason switch
        {
            BackfillReason.Model => $"other models are served: {job.Plan}",
            BackfillReason.Catalog => "the catalog has changed",
            _ => job.Scenario.Length > 0 ? $"asked for, scenario {job.Scenario}" : "asked for",
        };
        var how = job.Cancelled ? "cancelled" : state.Progress switch
        {
            null => "no worker has begun it yet",
            { FinishedAt: { } at } => $"finished {at.ToDateTimeOffset():yyyy-MM-ddTHH:mm:ssZ}",
            { } progress => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{state.Fraction:P0} of the keys are scanned, {progress.WaitingRequests:N0} requests wait"),
        };
        AnsiConsole.WriteLine($"backfill {job.Id} ({why}), {job.Rate:N0} users/s at most: {how}; {state.Progress?.RequestedUsers ?? 0:N0} users asked for");
    }
}
