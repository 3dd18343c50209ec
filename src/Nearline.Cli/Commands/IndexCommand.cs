using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Nearline.Contracts.Admin.V1;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline index</c>: the models in use, what their shows are searched with, and why.</summary>
internal static class IndexCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "print the response as JSON" };
        var api = CommonOptions.Api();
        var command = new Command("index", "ask the api which models are in use, what their shows are searched with, and why") { json, api };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var channel = ApiChannel.Open(parsed.GetRequiredValue(api));
            var response = await new AdminService.AdminServiceClient(channel).GetIndexInfoAsync(
                new GetIndexInfoRequest(), deadline: DateTime.UtcNow + Patience, cancellationToken: cancellation)
                .ResponseAsync.ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                System.Console.WriteLine(JsonFormatter.Default.Format(response));
                return 0;
            }

            foreach (var index in response.Indexes)
            {
                var roles = string.Join(", ", index.Roles.Select(role => Text($"{role.Name} {role.Percent:0.##}%")));
                Line($"{index.ModelVersion}: {roles}; tower on {index.Device}; {string.Join(", ", index.Scenarios)}");
                Line($"  {index.Summary}");
                Line($"  {index.ItemCount:N0} shows of the model, {index.AddedCount:N0} new beside them, {index.RemovedCount:N0} gone, {index.UnreachableCount:N0} without a place");
            }

            return 0;
        });
        return command;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(FormattableString text) => AnsiConsole.WriteLine(Text(text));
}
