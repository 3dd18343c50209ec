using Nearline.Cli.Console;
using Nearline.Model.Data;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary>Writes a data set and says what it is.</summary>
internal static class DatasetOutput
{
    public static async Task WriteAsync(Dataset dataset, string directory)
    {
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new CliException($"--out is '{directory}', which is not empty; name a new directory");
        }

        await Steps.RunAsync("write", _ =>
        {
            DatasetFiles.Write(dataset, directory);
            return true;
        }).ConfigureAwait(false);
        AnsiConsole.WriteLine($"{Describe(dataset)}: {directory}");
    }

    /// <summary>One line: how many of what.</summary>
    public static string Describe(Dataset dataset) =>
        $"{dataset.Users.Count:N0} users, {dataset.Shows.Count:N0} shows, {dataset.Users.Sum(u => u.Actions.Count):N0} events, scenarios {string.Join(", ", dataset.Scenarios.Select(s => s.Id))}";
}
