using Nearline.Cli.Commands;
using Nearline.Cli.Comparing;
using Nearline.Cli.Console;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;

namespace Nearline.Cli.Tests.Comparing;

[Collection(TorchTests.Name)]
public sealed class ComparedModelTests
{
    private static readonly ComparisonSettings Settings = new() { Data = "data", Protocol = "leave-one-out" };

    [Fact]
    public void An_entry_is_a_label_a_model_its_options_and_its_seeds()
    {
        var model = Parse("M5 w/o MM: m5-small/wo-mm  Epochs=20 Seeds=4,5 Width=96");
        Assert.Equal(("M5 w/o MM", "m5-small/wo-mm Epochs=20 Width=96", "m5-small", "wo-mm"), (model.Label, model.Entry, model.Source, model.Variant));
        Assert.Equal([4, 5], model.Seeds!);
        var (config, training) = model.M5(7, 1, "cpu");
        Assert.Equal(("wo-mm", 96, 20, 7), (config.Variant, config.Width, training.Epochs, training.Seed));

        var sasrec = Parse("sasrec Dropout=0.2");
        Assert.Equal(("sasrec Dropout=0.2", true), (sasrec.Label, sasrec.IsSeeded));
        Assert.Equal(new SasrecOptions { Dropout = 0.2, Seed = 3, Threads = 2, Device = "cpu" }, sasrec.Baseline(3, 2, "cpu"));
        Assert.Null(sasrec.Seeds);
        Assert.False(Parse("popularity").IsSeeded);
    }

    [Theory]
    [InlineData("", "must be a preset or baseline")]
    [InlineData(" : ease", "must be a preset or baseline")]
    [InlineData("m5-huge", "'m5-huge' is neither a preset (m5-paper, m5-small, m5-causal) nor a baseline (popularity,")]
    [InlineData("m5-small/wo-x", "'wo-x' is no variant, there are m5, wo-mm")]
    [InlineData("ease/wo-mm", "ease has no variants")]
    [InlineData("m5-small Epochz=2", "no option 'Epochz', did you mean Epochs?")]
    [InlineData("m5-small Epochs=0", "Epochs: 0; must be at least 1")]
    [InlineData("m5-small/wo-mm Channels=IdAndCg", "Variant: 'wo-mm'")]
    [InlineData("m5-small Seed=2", "'Seed=2' must be Seeds=2")]
    [InlineData("m5-small Seeds=1,x", "'x' must be a whole number")]
    [InlineData("m5-small Seeds=", "must be seeds with commas")]
    [InlineData("sasrec Heads=3", "Heads: 3; must be a divisor of Width, 64")]
    [InlineData("itemknn Neighbours=0", "Neighbours: 0; must be at least 1")]
    [InlineData("ease Lambda=0", "Lambda: 0; must be above 0")]
    [InlineData("ease Graph=true", "'Graph=true' is for presets of M5")]
    [InlineData("m5-small Graph=graphs/first", "'Graph=graphs/first' must be Graph=true or Graph=false")]
    [InlineData("popularity Days=7", "popularity has nothing to set")]
    public void What_cannot_be_run_is_refused_before_anything_runs(string entry, string expected) =>
        Assert.Contains(expected, Assert.Throws<CliException>(() => Parse(entry)).Message, StringComparison.Ordinal);

    [Fact]
    public void Files_have_comments_and_errors_name_the_line()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "# entries\n\nM5: m5-small # the default\nease\n");
            Assert.Equal(["M5", "ease"], CompareCommand.Entries([], path).Select(m => m.Label));
            Assert.Contains("two entries are called 'ease'", Assert.Throws<CliException>(() => CompareCommand.Entries(["ease"], path)).Message, StringComparison.Ordinal);
            File.WriteAllText(path, "ease\nm5-small Epochs=x\n");
            Assert.Contains($"{path}(2) Epochs is 'x'", Assert.Throws<CliException>(() => CompareCommand.Entries([], path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Entries_that_start_from_the_graph_are_checked_against_it()
    {
        var folder = Directory.CreateTempSubdirectory("nearline-graph-").FullName;
        try
        {
            Show[] shows = [.. Enumerable.Range(0, 6).Select(i => new Show($"s{i}", ShowCategory.Movie) { Tags = [$"t{i % 3}"] })];
            using (var graph = GraphTrainer.Train(
                Metagraph.Of(shows, null, null), new GraphOptions { Width = 64, Epochs = 1, BatchSize = 8 }, null, CancellationToken.None))
            {
                graph.Write(folder);
            }

            Assert.Null(CompareCommand.Graph(null, [Parse("m5-small"), Parse("ease")]));
            var source = CompareCommand.Graph(folder, [Parse("m5-small Graph=true")])!;
            Assert.Equal(folder, source.Folder);
            string Refused(string? graph, string entry) =>
                Assert.Throws<CliException>(() => CompareCommand.Graph(graph, [Parse("m5-small"), Parse(entry)])).Message;
            Assert.Contains("'m5-small Graph=true' has Graph=true, but --graph is missing", Refused(null, "m5-small Graph=true"), StringComparison.Ordinal);
            Assert.Contains("no table of CG embeddings", Refused(folder, "w/o MM: m5-small/wo-mm Graph=true"), StringComparison.Ordinal);
            Assert.Contains("its width is 64", Refused(folder, "wide: m5-small Width=96 Graph=true"), StringComparison.Ordinal);

            string Name(string entry, GraphSource? graph) =>
                ComparisonRun.Of([Parse(entry)], [1], Settings with { Graph = graph }, "sha256:a")[0].Name;
            Assert.Equal(Name("m5-small", null), Name("m5-small", source));
            Assert.Equal(Name("m5-small", null), Name("m5-small Graph=false", source));
            Assert.NotEqual(Name("m5-small", null), Name("m5-small Graph=true", source));
            Assert.NotEqual(Name("m5-small Graph=true", source), Name("m5-small Graph=true", source with { Fingerprint = "sha256:b" }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_results_name_follows_all_that_decides_it_and_nothing_else()
    {
        string Name(string entry, int seed = 1, ComparisonSettings? settings = null, string data = "sha256:a") =>
            ComparisonRun.Of([Parse(entry)], [seed], settings ?? Settings, data)[0].Name;
        Assert.Equal(Name("m5-small"), Name("label: m5-small Width=64"));
        Assert.Equal(Name("m5-small Epochs=3 Width=96"), Name("m5-small width=96 Epochs=3"));
        Assert.Equal(Name("ease"), Name("ease", seed: 2));
        string[] others =
        [
            Name("m5-small"), Name("m5-small", 2), Name("m5-small Width=96"), Name("m5-small/wo-mm"), Name("m5-paper"),
            Name("m5-small", data: "sha256:b"), Name("m5-small", settings: Settings with { Protocol = "last-day" }),
            Name("m5-small", settings: Settings with { UnfilteredToo = true }), Name("sasrec"), Name("sasrec Dropout=0.2"), Name("ease"),
        ];
        Assert.Equal(others.Length, others.Distinct().Count());
    }

    [Fact]
    public void Runs_that_cost_least_come_first_and_then_seed_by_seed()
    {
        var runs = ComparisonRun.Of([Parse("A: m5-small"), Parse("B: sasrec Seeds=9"), Parse("ease")], [1, 2], Settings, "sha256:a");
        Assert.Equal(["ease", "A, seed 1", "B, seed 9", "A, seed 2"], runs.Select(r => r.Title));
    }

    private static ComparedModel Parse(string text) => ComparedModel.Parse(text, "--model");
}
