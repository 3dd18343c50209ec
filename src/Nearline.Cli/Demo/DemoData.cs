using Nearline.Cli.Commands;
using Nearline.Cli.Console;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;
using Nearline.Model.Data.Simulation;

namespace Nearline.Cli.Demo;

/// <summary>Chooses what `demo` and `up` run on: what was asked for, else the shared research data, else a simulated world.</summary>
internal static class DemoData
{
    /// <summary>Where the shared research data lies when the checkout has it beside it.</summary>
    public const string SharedDirectory = "../shared/data";

    private const string Preferred = "ml-100k";

    /// <param name="directory">What was asked for; null: choose.</param>
    /// <param name="name">Which data set of a directory with several; null: the only one.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>The data and one line that says what it is.</returns>
    public static async Task<(Dataset Data, string Origin)> LoadAsync(string? directory, string? name, CancellationToken cancellationToken)
    {
        var chosen = directory ?? (Directory.Exists(SharedDirectory) ? SharedDirectory : null);
        if (chosen is not null)
        {
            // A directory with several data sets means MovieLens, which has users and films that people know.
            var known = DatasetImport.Find(chosen);
            var wanted = name ?? (known.Count > 1 && known.Any(d => d.Name == Preferred) ? Preferred : null);
            var data = await DatasetInput.ReadAsync(chosen, wanted, cancellationToken).ConfigureAwait(false);
            return (data, wanted ?? known[0].Name);
        }

        var world = await Steps.RunAsync("simulate", _ => SimulatedWorld.Generate(new SimulationOptions())).ConfigureAwait(false);
        return (world, "a simulated OTT world");
    }
}
