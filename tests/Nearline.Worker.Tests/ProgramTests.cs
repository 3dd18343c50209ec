using Nearline.LocalServers.Processes;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests;

/// <summary>The executable.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task Wrong_option_ends_with_its_key_and_exit_code_2()
    {
        await using var process = Start("--Kafka:BootstrapServers=127.0.0.1:1", "--Worker:BatchMaxEvents=-1");

        Assert.Equal(2, await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains(process.LastLines, l => l.Contains("Nearline.Worker: Worker:BatchMaxEvents is -1; it must be from 1 to 100000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Terminated_while_it_waits_for_a_model_it_ends_with_0()
    {
        await using var process = Start("--Kafka:BootstrapServers=127.0.0.1:1", "--Redis:ConnectionString=127.0.0.1:1", "--Worker:ModelsDirectory=nowhere");
        await process.WaitForLineAsync(line => line.Contains("no model is active in nowhere", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => process.LastLines.Any(l => l.Contains("Application started", StringComparison.Ordinal)), "it listens");

        process.Terminate();

        Assert.Equal(0, await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private static ChildProcess Start(params string[] arguments) => ChildProcess.Start(new ChildProcessOptions
    {
        FileName = "dotnet",
        Arguments = [typeof(WorkerHost).Assembly.Location, "--urls=http://127.0.0.1:0", "--Worker:GrpcPort=-1", .. arguments],
    });
}
