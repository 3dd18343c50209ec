using System.Globalization;
using Nearline.Cli.Commands;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using Nearline.Model.Training.Runs;

namespace Nearline.Cli.Tests;

[Collection(TorchTests.Name)]
public sealed class GraphAndNeighboursTests : IDisposable
{
    private static readonly CatalogItem[] Items =
    [
        Item("127", "Godfather, The"), Item("187", "Godfather: Part II, The"), Item("1", "Toy Story"), Item("2", "Story"), Item("x", ""),
    ];

    private readonly string directory = Directory.CreateTempSubdirectory("nearline-graph-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_graph_is_trained_a_model_begins_with_it_and_neighbours_are_found()
    {
        DatasetFiles.Write(World(), At("world"));
        Assert.Equal(0, await GraphCommand.Create().Parse(
            ["--data", At("world"), "--out", At("graph"), "--set", "Width=32", "--set", "Epochs=30", "--set", "Threads=1"]).InvokeAsync());
        using var graph = ContentGraph.Load(At("graph"));
        Assert.Equal((32, 12), (graph.Options.Width, graph.Vocabulary.Shows.Count));

        string[] train =
        [
            "--data", At("world"), "--models", At("models"), "--epochs", "1", "--graph", At("graph"), "--run", At("run"),
            "--set", "TrainCg=false", "--set", "Threads=1",
        ];
        var error = await Assert.ThrowsAsync<CliException>(() => RunAsync(TrainCommand.Create(), train));
        Assert.Equal(
            "--graph: graph: its width is 32, m5-small's 64; train the graph with --set Width=64, or the model with --set Width=32",
            error.Message);
        Assert.Equal(0, await RunAsync(TrainCommand.Create(), [.. train, "--set", "Width=32"]));
        Assert.Contains(graph.Fingerprint(), File.ReadAllText(Path.Combine(At("run"), "run.json")), StringComparison.Ordinal);

        // The table was frozen, so the bundle's neighbours are the graph's.
        var neighbours = ShowNeighbours.Of(new BundleStore(At("models")).Open(new BundleStore(At("models")).ActiveVersion!));
        var nearest = neighbours.Nearest(0, RowPart.Cg, 5);
        var rows = graph.Embeddings.ToArray();
        Assert.All(nearest, n => Assert.Equal(
            Enumerable.Range(0, 32).Sum(c => (double)rows[c] * rows[(n.Show * 32) + c]), n.Cosine, 1e-4));
        Assert.All(nearest, n => Assert.True(n.Show < 6, $"show {n.Show} is of the other genre"));

        var lines = NeighboursCommand.Lines(neighbours, 0, 2, World().Shows.ToDictionary(s => s.Id)).ToList();
        Assert.Equal("Film 0 (s0)  |  noir  |  actor 0, director 0", lines[0]);
        Assert.Equal(1 + (3 * 3), lines.Count);
        Assert.StartsWith("nearest by CG", lines[1], StringComparison.Ordinal);
        Assert.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"  {nearest[0].Cosine,6:F3}  Film {nearest[0].Show} (s{nearest[0].Show})"), lines[2], StringComparison.Ordinal);
        Assert.Equal("Film 0 (s0)  |  noir", NeighboursCommand.Lines(neighbours, 0, 2, null).First());
    }

    [Fact]
    public async Task A_run_goes_on_only_with_the_graph_that_it_began_with()
    {
        DatasetFiles.Write(World(), At("world"));
        string[] Graph(int seed) => ["--data", At("world"), "--out", At("graph"), "--set", "Epochs=1", "--set", $"Seed={seed}", "--set", "Threads=1"];
        Assert.Equal(0, await GraphCommand.Create().Parse(Graph(1)).InvokeAsync());
        string fingerprint;
        using (var graph = ContentGraph.Load(At("graph")))
        {
            fingerprint = graph.Fingerprint();
        }

        // A run that was stopped before its first epoch was over.
        var (config, training) = (M5Config.Small, TrainingOptions.Small with { Epochs = 1, Threads = 1, Device = "cpu" });
        RunFolder.Create(
            At("run"), Splits.LeaveOneOut(World()), config, training,
            new RunSetting(At("world"), null, "leave-one-out", At("models"), Activate: true, null, At("graph"), fingerprint)).Dispose();
        var other = await Assert.ThrowsAsync<CliException>(() => RunAsync(TrainCommand.Create(), ["--resume", At("run"), "--graph", At("other")]));
        Assert.StartsWith($"--graph is '{At("other")}', but the run was told '{At("graph")}'", other.Message, StringComparison.Ordinal);
        Assert.Equal(0, await GraphCommand.Create().Parse(Graph(2)).InvokeAsync());
        var changed = await Assert.ThrowsAsync<CliException>(() => RunAsync(TrainCommand.Create(), ["--resume", At("run")]));
        Assert.Contains($"but the run began with {fingerprint}", changed.Message, StringComparison.Ordinal);
        Assert.Equal(0, await GraphCommand.Create().Parse(Graph(1)).InvokeAsync());
        Assert.Equal(0, await RunAsync(TrainCommand.Create(), ["--resume", At("run")]));
    }

    [Fact]
    public void The_report_prints_every_number()
    {
        var lines = GraphReportLines.Of(MetagraphReport.Of(Metagraph.Of(World().Shows))).ToList();
        Assert.Equal("metagraph: 12 shows, 31 meta nodes, 60 edges", lines[0]);
        Assert.Equal(["tag", "cast", "director", "category", "text"], lines.Skip(2).Take(5).Select(l => l.Trim().Split(' ')[0]));
        Assert.Equal(["tag", "2", "12", "0", "6"], lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("  isolated: 0 shows share no tag, person, director or brand with another", lines[7]);
        Assert.Equal("  shows by edges: 4-7: 12", lines[8]);
    }

    [Theory]
    [InlineData("187", 1)]
    [InlineData("toy", 2)]
    [InlineData(" godfather, the", 0)]
    [InlineData("STORY", 3)]
    [InlineData("x", 4)]
    public void A_show_is_found_by_its_id_its_title_or_a_part_of_it(string text, int row) =>
        Assert.Equal(row, ShowSearch.Find(Items, text));

    [Theory]
    [InlineData("godfather", "show 'godfather': a part of 2 titles; name one of 127 (Godfather, The), 187 (Godfather: Part II, The)")]
    [InlineData("toystory", "show 'toystory': neither an id nor a part of a title; near are 1 (Toy Story), 2 (Story)")]
    [InlineData("", "show '': empty; name an id or a part of a title")]
    public void A_show_that_is_not_clear_is_refused_with_those_that_are_near(string text, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<CliException>(() => ShowSearch.Find(Items, text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Widht=3", "no option 'Widht', did you mean Width?")]
    [InlineData("FanOuts=10", "--set: FanOuts: 10; must be two numbers, each at least 1")]
    [InlineData("Aggregator=lstm", "--set Aggregator is 'lstm'; it must be one of Pooling, Mean, Attention")]
    public void An_option_of_the_graph_that_cannot_be_is_refused(string assignment, string expected) =>
        Assert.Contains(expected, Assert.Throws<CliException>(() => GraphCommand.Configure([assignment], "cpu")).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_of_the_graph_are_set()
    {
        var options = GraphCommand.Configure(["FanOuts=5,3", "aggregator=mean", "Temperature=0.5"], "cpu");
        Assert.Equal([5, 3], options.FanOuts);
        Assert.Equal((GraphAggregator.Mean, 0.5, "cpu"), (options.Aggregator, options.Temperature, options.Device));
    }

    private static Task<int> RunAsync(System.CommandLine.Command command, string[] arguments) =>
        command.Parse(arguments).InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false });

    private static CatalogItem Item(string id, string title) => new(id, ShowCategory.Movie, title, null, null, 0, []);

    /// <summary>Two genres of six films, three to an actor, each its own director; users keep to a genre.</summary>
    private static Dataset World()
    {
        Show[] shows =
        [
            .. Enumerable.Range(0, 12).Select(i => new Show($"s{i}", ShowCategory.Movie)
            {
                Title = $"Film {i}",
                Tags = [i < 6 ? "noir" : "musical"],
                Cast = [$"actor {i / 3}"],
                Directors = [$"director {i}"],
            }),
        ];
        var start = DateTimeOffset.UnixEpoch.AddDays(20_000);
        return new Dataset(shows, [new Scenario("s")],
        [
            .. Enumerable.Range(0, 10).Select(u => new UserLog(
                new UserProfile($"u{u}"),
                [
                    .. Enumerable.Range(0, 5).Select(k => new UserAction(ActionKind.Watch, start.AddHours(k))
                    {
                        ShowId = $"s{((u % 2) * 6) + ((u + k) % 6)}",
                        Played = TimeSpan.FromMinutes(30),
                        Length = TimeSpan.FromMinutes(60),
                    }),
                ])),
        ]);
    }

    private string At(string name) => Path.Combine(directory, name);
}
