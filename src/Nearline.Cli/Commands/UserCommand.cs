using System.CommandLine;
using System.Globalization;
using Confluent.Kafka;
using Nearline.Cli.Console;
using Nearline.Cli.Users;
using Nearline.Publishing;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline user</c>: what is stored of a user, and an operator's requests about it.</summary>
internal static class UserCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create() => new("user", "show what is stored of a user, have the sets made anew, or delete the user")
    {
        Show(), Request("refresh", "have the user's sets made anew from the stored state", static (requests, user, token) => requests.RefreshAsync(user, token), "sets are asked for"),
        Request("delete", "delete state and sets; what the user did before counts no more, also where it arrives later", static (requests, user, token) => requests.DeleteAsync(user, token), "the deletion is published"),
    };

    private static Argument<string> User() => new("user") { Description = "the user's id" };

    private static Command Show()
    {
        var (user, redis) = (User(), CommonOptions.Redis());
        var command = new Command("show", "print what is stored of a user, with sizes") { user, redis };
        command.SetAction(async (parsed, _) =>
        {
            var userId = parsed.GetRequiredValue(user);
            var stored = await StoredUserView.ReadAsync(parsed.GetRequiredValue(redis), userId).ConfigureAwait(false);
            if (stored.State is not { } state)
            {
                AnsiConsole.WriteLine($"nothing is stored of '{userId}'");
                return 1;
            }

            Line($"state    {stored.StateBytes:N0} bytes, revision {state.Revision}, updated {state.UpdatedAt?.ToDateTimeOffset():u}");
            Line($"         {state.Behaviours.Count} behaviours, last event {state.LastEventTime?.ToDateTimeOffset():u}");
            if (state.DeletedAt is { } deleted)
            {
                Line($"         deleted {deleted.ToDateTimeOffset():u}");
            }

            Line($"watched  {stored.WatchedBytes:N0} bytes, {stored.Watched} shows");
            foreach (var (scenario, set, bytes, left) in stored.Sets)
            {
                Line(set is null
                    ? (FormattableString)$"set      {scenario}: expired"
                    : $"set      {scenario}: {bytes:N0} bytes, {set.ShowIds.Count} shows, by {set.ModelVersion} at {set.GeneratedAt.ToDateTimeOffset():u}, expires in {left?.TotalHours:F1} h");
            }

            return 0;
        });
        return command;
    }

    private static Command Request(
        string name, string description, Func<UserRequests, string, CancellationToken, Task> send, string done)
    {
        var (user, bootstrap) = (User(), CommonOptions.Bootstrap());
        var command = new Command(name, description) { user, bootstrap };
        command.SetAction(async (parsed, cancellation) =>
        {
            var userId = parsed.GetRequiredValue(user);
            if (userId.Length == 0)
            {
                throw new CliException("user is ''; the id of a user is needed");
            }

            try
            {
                using var requests = new UserRequests(UserRequests.Settings(parsed.GetRequiredValue(bootstrap), Patience), "nearline-user");
                await send(requests, userId, cancellation).ConfigureAwait(false);
            }
            catch (KafkaException e)
            {
                throw new CliException($"--bootstrap is '{parsed.GetRequiredValue(bootstrap)}': {e.Error.Reason}");
            }

            AnsiConsole.WriteLine($"{userId}: {done}");
            return 0;
        });
        return command;
    }

    private static void Line(FormattableString text) => AnsiConsole.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
