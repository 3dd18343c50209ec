using System.Net.Sockets;
using Nearline.LocalServers.Processes;

namespace Nearline.EndToEnd.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("nearline-cli-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Simulate_import_train_and_evaluate_follow_one_another()
    {
        var world = Path.Combine(directory, "world");
        var imported = Path.Combine(directory, "imported");
        var models = Path.Combine(directory, "models");
        await Pipeline.RunNearlineAsync("simulate", "--out", world, "--users", "60", "--shows", "80", "--days", "6");
        await Pipeline.RunNearlineAsync("import", "--data", world, "--out", imported);
        foreach (var file in Directory.EnumerateFiles(world))
        {
            Assert.Equal(
                await File.ReadAllBytesAsync(file),
                await File.ReadAllBytesAsync(Path.Combine(imported, Path.GetFileName(file))));
        }

        var trained = await Pipeline.RunNearlineAsync(
            "train", "--data", imported, "--models", models, "--epochs", "1", "--device", "cpu");
        var evaluated = await Pipeline.RunNearlineAsync(
            "evaluate", "--data", imported, "--models", models, "--json", "--device", "cpu");

        // What the bundle says of itself, loaded again, is what training said.
        var average = evaluated.Split('\n').First(l => l.Contains("\"average\"", StringComparison.Ordinal));
        using var json = System.Text.Json.JsonDocument.Parse(average);
        var hr20 = json.RootElement.GetProperty("metrics").GetProperty("hr20").GetDouble();
        Assert.Contains(
            hr20.ToString("F4", System.Globalization.CultureInfo.InvariantCulture),
            trained.Split('\n').First(l => l.Contains("average", StringComparison.Ordinal)),
            StringComparison.Ordinal);

        // On the validation targets it measures what the epoch was chosen by.
        var validated = await Pipeline.RunNearlineAsync(
            "evaluate", "--data", imported, "--models", models, "--validation", "--json", "--device", "cpu");
        using var chosen = System.Text.Json.JsonDocument.Parse(
            validated.Split('\n').First(l => l.Contains("\"average\"", StringComparison.Ordinal)));
        var store = new Nearline.Model.Bundles.BundleStore(models);
        Assert.Equal(
            store.Open(store.ActiveVersion!).Manifest.Metrics["validation_ndcg10"],
            chosen.RootElement.GetProperty("metrics").GetProperty("ndcg10").GetDouble(),
            1e-6);
    }

    [Theory]
    [InlineData("--data", "no-such-directory", "no-such-directory")]
    [InlineData("--protocol", "coin-toss", "coin-toss")]
    [InlineData("--device", "abacus", "abacus")]
    public async Task A_wrong_value_is_named_and_nothing_is_thrown_at_the_user(string option, string value, string named)
    {
        string[] arguments = ["train", "--models", Path.Combine(directory, "models"), option, value];
        await using var process = Pipeline.Nearline(option == "--data" ? arguments : [.. arguments, "--data", directory]);
        Assert.NotEqual(0, await process.WaitForExitAsync());
        var output = string.Join('\n', process.LastLines);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_prints_its_addresses_and_ctrl_c_ends_all_of_it()
    {
        Pipeline.WriteWorld(directory);
        await using var up = Pipeline.Nearline(
            "up", "--data", Path.Combine(directory, "world"), "--models", Path.Combine(directory, "models"), "--device", "cpu");
        await up.WaitForLineAsync(line => line.StartsWith("Up.", StringComparison.Ordinal), TimeSpan.FromSeconds(90));
        var lines = up.LastLines;
        var ports = new[] { "Redis", "gRPC" }
            .Select(part => lines.Single(l => l.StartsWith(part + " ", StringComparison.Ordinal)).Split(':')[^1].Trim())
            .Select(port => int.Parse(port, System.Globalization.CultureInfo.InvariantCulture))
            .ToList();
        foreach (var port in ports)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
        }

        await using (var interrupt = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "kill",
            Arguments = [IgnoresInterrupts(up.Id) ? "-TERM" : "-INT", up.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)],
        }))
        {
            Assert.Equal(0, await interrupt.WaitForExitAsync());
        }

        await up.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var port in ports)
        {
            using var client = new TcpClient();
            await Assert.ThrowsAnyAsync<SocketException>(() => client.ConnectAsync("127.0.0.1", port));
        }
    }

    /// <summary>Whether the process inherited that Ctrl-C is ignored, as a shell's background jobs do.</summary>
    private static bool IgnoresInterrupts(int processId)
    {
        const ulong Interrupt = 1UL << 1;
        var ignored = File.ReadLines($"/proc/{processId}/status").Single(l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
        return (Convert.ToUInt64(ignored["SigIgn:".Length..].Trim(), 16) & Interrupt) != 0;
    }
}
