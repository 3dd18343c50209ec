using System.CommandLine;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline import</c>: turns MovieLens or Amazon files into Nearline's own format.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var data = CommonOptions.Data();
        var name = CommonOptions.Dataset();
        var output = new Option<string>("--out") { Description = "directory to write; must not hold data yet", Required = true };
        var command = new Command("import", "turn MovieLens or Amazon files into Nearline's own format") { data, name, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var dataset = await DatasetInput.ReadAsync(parsed.GetRequiredValue(data), parsed.GetValue(name), cancellation).ConfigureAwait(false);
            await DatasetOutput.WriteAsync(dataset, parsed.GetRequiredValue(output)).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
