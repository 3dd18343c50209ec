using System.CommandLine;
using Nearline.Cli.Console;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline simulate</c>: writes a simulated OTT world in Nearline's own format.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var output = new Option<string>("--out") { Description = "directory to write; must not hold data yet", Required = true };
        var seed = new Option<ulong>("--seed") { Description = "the same seed gives the same world", DefaultValueFactory = _ => 1 };
        var users = new Option<int?>("--users") { Description = "how many users" };
        var shows = new Option<int?>("--shows") { Description = "how many shows" };
        var days = new Option<int?>("--days") { Description = "how many days" };
        var command = new Command("simulate", "write a simulated OTT world") { output, seed, users, shows, days };
        command.SetAction(async (parsed, _) =>
        {
            var defaults = new SimulationOptions();
            var options = defaults with
            {
                Seed = parsed.GetValue(seed),
                Users = parsed.GetValue(users) ?? defaults.Users,
                Shows = parsed.GetValue(shows) ?? defaults.Shows,
                Days = parsed.GetValue(days) ?? defaults.Days,
            };
            var directory = parsed.GetRequiredValue(output);
            var world = await Steps.RunAsync("simulate", _ => SimulatedWorld.Generate(options)).ConfigureAwait(false);
            await DatasetOutput.WriteAsync(world, directory).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
