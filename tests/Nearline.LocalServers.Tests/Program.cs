using System.Globalization;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Tests;

/// <summary>A parent for tests that kill one: starts a long sleep, prints its id, and waits.</summary>
internal static class Program
{
    private static async Task Main(string[] args)
    {
        if (args is not ["parent"])
        {
            return;
        }

        await using var child = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "sleep",
            Arguments = ["600"],
            OwnSession = true,
        });
        Console.WriteLine("child " + child.Id.ToString(CultureInfo.InvariantCulture));
        await child.WaitForExitAsync();
    }
}
