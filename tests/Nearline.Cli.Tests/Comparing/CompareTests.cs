using System.Text.Json.Nodes;
using Nearline.Cli.Commands;
using Nearline.Cli.Console;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;

namespace Nearline.Cli.Tests.Comparing;

/// <summary>The command as a user runs it, with real child processes on a tiny world.</summary>
[Collection(TorchTests.Name)]
public sealed class CompareTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("nearline-compare-").FullName;

    private static readonly string[] LastDay = ["--protocol", "last-day"];

    private string Output => Path.Combine(directory, "quality.json");

    private string Runs => Path.Combine(directory, "quality.runs");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Models_are_compared_over_seeds_and_finished_runs_are_kept()
    {
        WriteWorld();
        string[] entries = ["--model", "S: sasrec Epochs=2 Width=8 Heads=2", "--model", "itemknn", "--model", "popularity"];
        Assert.Equal(0, await Compare([.. entries, "--seeds", "1,2", "--unfiltered-too", "--reference", "itemknn"]));
        var lines = JsonNode.Parse(File.ReadAllText(Output))!["lines"]!.AsArray();
        Assert.Equal(["S", "itemknn", "popularity"], lines.Select(l => l!["model"]!.GetValue<string>()));
        Assert.Equal([2, 1, 1], lines.Select(l => l!["seeds"]!.GetValue<int>()));
        var first = lines[0]!;
        var ofRuns = first["runs"]!.AsArray().Select(r => r!["hr20"]!.GetValue<double>()).ToArray();
        Assert.Equal(ofRuns.Average(), first["hr20"]!.GetValue<double>(), 1e-5);
        Assert.Equal(Math.Abs(ofRuns[0] - ofRuns[1]) / Math.Sqrt(2), first["hr20_sd"]!.GetValue<double>(), 1e-5);
        Assert.Equal(first["hr20"]!.GetValue<double>(), first["per_scenario"]!.AsObject().Average(s => s.Value!["hr20"]!.GetValue<double>()), 1e-4);
        Assert.Equal("itemknn", first["to_reference"]!["reference"]!.GetValue<string>());
        Assert.Null(lines[1]!["to_reference"]);
        Assert.Equal("P3", first["protocol"]!.GetValue<string>());
        Assert.NotNull(first["unfiltered"]!["r10"]);
        Assert.NotNull(first["filtered"]!["n100"]);

        // One result is gone and a second is from elsewhere: those two are made anew, the others stay as they are.
        var files = Directory.GetFiles(Runs, "*.json").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(4, files.Length);
        var before = files.ToDictionary(f => f, File.GetLastWriteTimeUtc);
        File.Delete(files.Single(f => f.Contains("itemknn", StringComparison.Ordinal)));
        File.WriteAllText(files.Single(f => f.Contains("popularity", StringComparison.Ordinal)), "{}");
        var was = File.ReadAllText(Output);
        Assert.Equal(0, await Compare([.. entries, "--seeds", "1,2", "--unfiltered-too", "--reference", "itemknn", "--resume"]));
        Assert.Equal(["itemknn", "popularity"], files.Where(f => File.GetLastWriteTimeUtc(f) != before[f]).Select(f => Path.GetFileName(f).Split('-')[0]));
        Assert.Equal(Figures(was), Figures(File.ReadAllText(Output)));
    }

    [Fact]
    public async Task A_run_that_fails_is_named_and_the_others_go_on()
    {
        WriteWorld();
        if (TorchSharp.torch.cuda.is_available())
        {
            return;
        }

        var error = await Assert.ThrowsAsync<CliException>(
            () => Compare(["--model", "broken: sasrec Epochs=1", "--model", "popularity", "--seeds", "3", "--device", "cuda"]));
        Assert.Contains("1 of 2 runs failed", error.Message, StringComparison.Ordinal);
        Assert.Contains("device: 'cuda' was asked for", error.Message, StringComparison.Ordinal);
        var file = JsonNode.Parse(File.ReadAllText(Output))!;
        Assert.Equal("popularity", file["lines"]!.AsArray().Single()!["model"]!.GetValue<string>());
        Assert.Equal("broken", file["failed"]!.AsArray().Single()!["model"]!.GetValue<string>());
    }

    [Fact]
    public async Task Cold_shows_are_found_by_what_knows_content_from_a_graph_without_them()
    {
        WriteWorld();
        string[] entries =
        [
            "--model", "M5: m5-small Epochs=1 SamplesPerUser=1 TrainCg=false CgLength=8 Graph=true",
            "--model", "contentknn", "--model", "popularity", "--seeds", "1", "--protocol", "cold-start", "--device", "cpu",
        ];
        var (whole, known) = (Path.Combine(directory, "whole"), Path.Combine(directory, "known"));
        await Graph(whole, "leave-one-out");
        await Graph(known, "cold-start");
        var error = await Assert.ThrowsAsync<CliException>(() => Compare([.. entries, "--graph", whole]));
        Assert.Contains("a show that is cold by this protocol; train it with nearline graph --protocol cold-start", error.Message, StringComparison.Ordinal);

        Assert.Equal(0, await Compare([.. entries, "--graph", known]));
        var lines = JsonNode.Parse(File.ReadAllText(Output))!["lines"]!.AsArray().ToDictionary(l => l!["model"]!.GetValue<string>(), l => l!);
        Assert.All(new[] { "known", "by_cg" }, view => Assert.True(lines["M5"][view]!["r100"]!.GetValue<double>() > 0, view));
        Assert.True(lines["M5"]["hr100"]!.GetValue<double>() > 0);
        Assert.True(lines["contentknn"]["hr100"]!.GetValue<double>() > 0);
        Assert.Null(lines["contentknn"]["by_cg"]);
        Assert.Equal(0, lines["popularity"]["hr100"]!.GetValue<double>());
    }

    private static string[] Figures(string json) =>
        [.. JsonNode.Parse(json)!["lines"]!.AsArray().Select(l => $"{l!["model"]} {l["hr20"]} {l["filtered"]} {l["to_reference"]}")];

    private async Task Graph(string folder, string protocol) => Assert.Equal(0, await GraphCommand.Create().Parse(
        ["--data", Path.Combine(directory, "world"), "--protocol", protocol, "--out", folder, "--set", "Epochs=1", "--set", "Threads=1"])
        .InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false }));

    private void WriteWorld() =>
        DatasetFiles.Write(SimulatedWorld.Generate(SimulationOptions.Tiny), Path.Combine(directory, "world"));

    private async Task<int> Compare(string[] arguments) => await CompareCommand.Create().Parse(
        ["--data", Path.Combine(directory, "world"), "--out", Output, .. arguments.Contains("--protocol") ? [] : LastDay, .. arguments])
        .InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
