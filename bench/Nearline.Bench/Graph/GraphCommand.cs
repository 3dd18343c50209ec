using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Nearline.Model.Graph;

namespace Nearline.Bench.Graph;

/// <summary>
/// <c>nearline-bench graph</c>: generates a catalog, then answers each line on its input with a line of JSON: <c>train</c>
/// with what training its graph cost, <c>quality</c> with what the embeddings found.
/// </summary>
internal static class GraphCommand
{
    private const int Seed = 1;
    private const int Sampled = 1000;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var shows = new Option<int>("--shows") { Description = "shows of the catalog", DefaultValueFactory = _ => 100_000 };
        var edges = new Option<int>("--edges") { Description = "edges of the metagraph, about", DefaultValueFactory = _ => 2_000_000 };
        var defaults = new GraphOptions();
        var epochs = new Option<int>("--epochs") { Description = "times that the walks are drawn", DefaultValueFactory = _ => defaults.Epochs };
        var walks = new Option<int>("--walks") { Description = "walks from each show an epoch", DefaultValueFactory = _ => defaults.Walks };
        var batch = new Option<int>("--batch") { Description = "pairs a step", DefaultValueFactory = _ => defaults.BatchSize };
        var rate = new Option<double>("--rate") { Description = "Adam's learning rate", DefaultValueFactory = _ => defaults.LearningRate };
        var threads = new Option<int>("--threads") { Description = "CPU threads", DefaultValueFactory = _ => 1 };
        var command = new Command("graph", "train the content graph of a generated catalog") { shows, edges, epochs, walks, batch, rate, threads };
        command.SetAction(parsed =>
        {
            var catalog = GeneratedCatalog.Generate(parsed.GetValue(shows), parsed.GetValue(edges), Seed);
            var options = defaults with
            {
                Epochs = parsed.GetValue(epochs),
                Walks = parsed.GetValue(walks),
                BatchSize = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                Threads = parsed.GetValue(threads),
                Device = "cpu",
                Seed = Seed,
            };
            Answer(new { Shows = catalog.Shows.Count, Groups = catalog.GroupCount, Measured.PeakMiB });
            ContentGraph? trained = null;
            while (Console.ReadLine() is { } line)
            {
                switch (line)
                {
                    case "train":
                        trained?.Dispose();
                        trained = Train(catalog, options);
                        break;
                    case "quality" when trained is not null:
                        Quality(catalog, trained);
                        break;
                    default:
                        throw new InvalidOperationException($"input: '{line}'; must be train, then quality");
                }
            }

            trained?.Dispose();
        });
        return command;
    }

    private static ContentGraph Train(GeneratedCatalog catalog, GraphOptions options)
    {
        Metagraph? graph = null;
        var build = Measured.Of(() => graph = Metagraph.Of(catalog.Shows));
        ContentGraph? trained = null;
        var reports = new List<GraphProgress>();
        var (started, trainingCpu) = (Environment.CpuUsage.TotalTime, TimeSpan.Zero);
        var whole = Measured.Of(() => trained = GraphTrainer.Train(graph!, options, new Inline<GraphProgress>(p =>
        {
            Console.Error.WriteLine($"epoch {p.Epoch} of {p.Epochs}: loss {p.Loss:0.0000}, {p.Elapsed.TotalSeconds:0.0} s");
            reports.Add(p);
            trainingCpu = Environment.CpuUsage.TotalTime - started;
        })));
        var seconds = reports[^1].Elapsed.TotalSeconds;
        var pairs = reports.Sum(r => (long)r.Pairs);
        Answer(new
        {
            graph!.Nodes,
            Edges = graph.Kinds.Sum(k => k.OfShows.Edges),
            BuildSeconds = build.Seconds,
            Pairs = pairs,
            TrainingSeconds = seconds,
            PairsPerSecond = pairs / seconds,
            PairsPerCpuSecond = pairs / trainingCpu.TotalSeconds,
            OtherSeconds = whole.Seconds - seconds,
            reports[^1].Loss,
            Measured.PeakMiB,
        });
        return trained!;
    }

    private static void Quality(GeneratedCatalog catalog, ContentGraph trained)
    {
        var ours = GroupPrecision.Of(trained.Embeddings, catalog.Groups, Sampled);
        var clock = Stopwatch.StartNew();
        var linear = ContentEncoder.Fit(catalog.Shows, trained.Options.Width, Seed);
        var embeddings = linear.Embed(catalog.Shows);
        var seconds = clock.Elapsed.TotalSeconds;
        Answer(new { Ours = ours, Linear = GroupPrecision.Of(embeddings, catalog.Groups, Sampled), LinearSeconds = seconds, catalog.Chance });
    }

    private static void Answer(object answer)
    {
        Console.WriteLine(JsonSerializer.Serialize(answer, Json));
        Console.Out.Flush();
    }

    private sealed class Inline<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
