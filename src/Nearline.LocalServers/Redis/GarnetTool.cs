using System.Globalization;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Redis;

/// <summary>Garnet as the .NET tool that the repository's .config/dotnet-tools.json names.</summary>
internal static class GarnetTool
{
    private static readonly string Manifest = Path.Combine(".config", "dotnet-tools.json");

    /// <summary>Restores the tool (a download the first time) and says how to run it.</summary>
    public static async Task<ChildProcessOptions> CommandAsync(int port, CancellationToken cancellationToken)
    {
        var directory = ManifestDirectory();
        await using (var restore = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "dotnet",
            Arguments = ["tool", "restore"],
            WorkingDirectory = directory,
        }))
        {
            if (await restore.WaitForExitAsync(cancellationToken).ConfigureAwait(false) != 0)
            {
                throw await restore.UnexpectedExitAsync().ConfigureAwait(false);
            }
        }

        return new ChildProcessOptions
        {
            FileName = "dotnet",
            WorkingDirectory = directory,
            Arguments =
            [
                "tool", "run", "garnet-server", "--",
                "--port", port.ToString(CultureInfo.InvariantCulture),
                "--bind", "127.0.0.1",
                "--lua",
            ],
        };
    }

    private static string ManifestDirectory()
    {
        foreach (var start in new[] { Environment.CurrentDirectory, AppContext.BaseDirectory })
        {
            for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
            {
                if (File.Exists(Path.Combine(directory.FullName, Manifest)))
                {
                    return directory.FullName;
                }
            }
        }

        throw new ChildProcessException(
            $"redis-server is not on the PATH, and garnet needs {Manifest}, which is neither above "
            + $"'{Environment.CurrentDirectory}' nor above '{AppContext.BaseDirectory}'. "
            + "Install redis-server, or run from the repository.");
    }
}
