using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Evaluation;

[Collection(TorchTests.Name)]
public sealed class SasrecTests
{
    private const int Shows = 40;

    private static readonly SasrecOptions Options = new()
    {
        Width = 32,
        MaxLength = 10,
        Dropout = 0.1,
        LearningRate = 0.01,
        BatchSize = 32,
        Epochs = 30,
        Threads = 1,
        Device = "cpu",
    };

    [Fact]
    public void What_follows_from_order_is_learned_and_neighbours_cannot_tell_it()
    {
        var split = Splits.LeaveOneOut(Circle(users: 240));
        var epochs = new List<SasrecProgress>();
        using var sasrec = Sasrec.Train(split, Options, new Inline(epochs.Add));
        using var neighbours = ItemKnn.Of(split.TrainDataset);
        double Ndcg(IRetriever of) => Evaluator.Evaluate(of, split.Dataset, split.Test).All.Ndcg10;
        Assert.InRange(Ndcg(sasrec), 0.99, 1);
        Assert.InRange(Ndcg(neighbours), 0, 0.9);
        Assert.True(epochs[^1].Loss < epochs[0].Loss - 2, $"loss {epochs[0].Loss} to {epochs[^1].Loss}");
        Assert.Equal(epochs.Last(e => e.IsBest).Epoch, sasrec.BestEpoch);
        Assert.Equal(epochs.Max(e => e.Ndcg10), epochs[sasrec.BestEpoch - 1].Ndcg10);
    }

    [Fact]
    public void The_validation_figure_is_the_evaluators()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(40));
        var epochs = new List<SasrecProgress>();
        using var sasrec = Sasrec.Train(split, Options with { Epochs = 3 }, new Inline(epochs.Add));
        var all = Evaluator.Evaluate(sasrec, split.Dataset, split.Validation).All;
        Assert.True(all.Targets > split.Dataset.Users.Count, "some users have several targets");
        Assert.Equal(all.Ndcg10, epochs[sasrec.BestEpoch - 1].Ndcg10!.Value, 1e-9);
    }

    [Fact]
    public void Shows_are_in_the_order_in_which_they_were_begun()
    {
        var log = new UserLog(
            new UserProfile("u"),
            [.. new[] { "1", "2", "3", "1" }.Select((id, i) => new UserAction(ActionKind.Watch, TinyWorld.Start.AddHours(i)) { ShowId = id })]);
        var dataset = Circle(users: 1) with { Users = [log] };
        string[] Order(TrainingWatches of) => [.. of.Users[0].Select(row => of.Shows[row].Id)];
        Assert.Equal(["1", "2", "3"], Order(TrainingWatches.Of(dataset, byFirstWatch: true)));
        Assert.Equal(["2", "3", "1"], Order(TrainingWatches.Of(dataset)));
    }

    [Fact]
    public void A_token_does_not_see_later_ones_nor_other_sequences()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var network = new SasrecNetwork(Shows, Options);
        network.eval();
        float[] Hidden(int sequence, params int[][] sequences)
        {
            using var inner = NewDisposeScope();
            var batch = SasrecBatch.Of([.. sequences.Select(s => new ArraySegment<int>(s))], CPU);
            var from = batch.Layout.FirstToken[sequence];
            return network.Forward(batch).narrow(0, from, sequences[sequence].Length).reshape(-1).data<float>().ToArray();
        }

        int[] one = [5, 6, 7, 8];
        var alone = Hidden(0, one);
        var changed = Hidden(0, [[5, 6, 7, 9]]);
        Assert.Equal(alone[..(3 * Options.Width)], changed[..(3 * Options.Width)]);
        Assert.NotEqual(alone[(3 * Options.Width)..], changed[(3 * Options.Width)..]);
        var earlier = Hidden(0, [[4, 6, 7, 8]]);
        Assert.NotEqual(alone[(3 * Options.Width)..], earlier[(3 * Options.Width)..]);
        var among = Hidden(1, [1, 2, 3, 4, 5, 6], one, [9]);
        Assert.All(alone.Zip(among), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void The_forward_pass_is_that_of_plain_loops()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var options = Options with { Width = 6, Heads = 2, Layers = 2 };
        using var network = new SasrecNetwork(9, options);
        network.eval();
        using (no_grad())
        {
            foreach (var parameter in network.parameters())
            {
                nn.init.normal_(parameter, 0.1, 0.7);
            }
        }

        int[] shows = [3, 8, 1];
        var batch = SasrecBatch.Of([shows], CPU);
        var hidden = network.Forward(batch);
        var scores = network.Scores(hidden.narrow(0, 2, 1)).reshape(-1).data<float>().ToArray();
        var plain = new PlainSasrec(network, options).Scores(shows);
        Assert.All(plain.Zip(scores), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Equal_seeds_give_equal_scores_and_nothing_is_left_behind()
    {
        var split = Splits.LeaveOneOut(Circle(users: 20));
        var history = TinyWorld.HistoryOf(split.Dataset.Users[0]);
        float[] Scores(int seed)
        {
            using var sasrec = Sasrec.Train(split, Options with { Epochs = 2, Seed = seed });
            return [.. sasrec.Retrieve([new RetrievalRequest("u", history, TinyWorld.Start)], 20).Users[0][0].Shows.Select(s => s.Score)];
        }

        _ = Scores(1);
        var before = LiveTensors.Count();
        var first = Scores(1);
        Assert.Equal(first, Scores(1));
        Assert.NotEqual(first, Scores(2));
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void Without_history_sets_are_the_most_watched_and_wrong_options_are_refused_by_name()
    {
        var split = Splits.LeaveOneOut(Circle(users: 30));
        using var sasrec = Sasrec.Train(split, Options with { Epochs = 1 });
        var set = sasrec.Retrieve([new RetrievalRequest("new", UserHistories.Start(new UserProfile("new")), TinyWorld.Start)], 5).Users[0][0];
        Assert.Equal(sasrec.FallbackLists(5)[0].Shows.Select(s => s.ShowId), set.Shows.Select(s => s.ShowId));

        string? Refused(Func<SasrecOptions, SasrecOptions> wrong) =>
            Assert.Throws<ArgumentException>(() => Sasrec.Train(split, wrong(Options))).ParamName;
        Assert.Equal("Heads", Refused(o => o with { Heads = 3 }));
        Assert.Equal("Dropout", Refused(o => o with { Dropout = 1 }));
        Assert.Equal("Epochs", Refused(o => o with { Epochs = 0 }));
        var nothing = Splits.LeaveOneOut(split.Dataset with { Users = [] });
        Assert.Equal("split", Assert.Throws<ArgumentException>(() => Sasrec.Train(nothing, Options)).ParamName);
    }

    /// <summary>Shows in a circle; each user watches eight in a row, from anywhere on.</summary>
    private static Dataset Circle(int users) => new(
        [.. Enumerable.Range(0, Shows).Select(i => new Show($"{i}", ShowCategory.Movie))],
        [new Scenario("all")],
        [
            .. Enumerable.Range(0, users).Select(u => new UserLog(
                new UserProfile($"u{u}"),
                [
                    // A login, since the first watch is an instance only after some event.
                    new UserAction(ActionKind.Login, TinyWorld.Start.AddMinutes(-1)),
                    .. Enumerable.Range(0, 8).Select(i => new UserAction(ActionKind.Watch, TinyWorld.Start.AddMinutes(i))
                    {
                        ShowId = $"{((u * 7) + i) % Shows}",
                    }),
                ])),
        ]);

    private sealed class Inline(Action<SasrecProgress> report) : IProgress<SasrecProgress>
    {
        public void Report(SasrecProgress value) => report(value);
    }

    /// <summary>The network a second time, in plain loops over its weights.</summary>
    private sealed class PlainSasrec(SasrecNetwork network, SasrecOptions options)
    {
        private readonly Dictionary<string, double[]> weights = network.named_parameters().ToDictionary(
            p => p.name, p => p.parameter.detach().reshape(-1).data<float>().ToArray().Select(v => (double)v).ToArray(), StringComparer.Ordinal);

        private readonly int d = options.Width;

        public double[] Scores(int[] shows)
        {
            var x = shows.Select((show, i) => Row("items.weight", show).Zip(Row("positions.weight", shows.Length - 1 - i), (a, b) => a + b).ToArray()).ToArray();
            for (var layer = 0; layer < options.Layers; layer++)
            {
                var block = $"blocks.{layer}.";
                var qkv = x.Select(t => Linear(block + "qkv", Norm(block + "attentionNorm", t), 3 * d)).ToArray();
                x = [.. x.Select((t, i) => Add(t, Linear(block + "attended", Attend(qkv, i), d)))];
                x = [.. x.Select(t => Add(t, FeedForward(block, t)))];
            }

            var last = Norm("norm", x[^1]);
            return [.. Enumerable.Range(0, weights["items.weight"].Length / d).Select(show => Dot(Row("items.weight", show), last))];
        }

        private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

        private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

        private double[] FeedForward(string block, double[] t)
        {
            var inner = Linear(block + "inner", Norm(block + "feedForwardNorm", t), d).Select(v => Math.Max(0, v));
            return Linear(block + "outer", [.. inner], d);
        }

        private double[] Attend(double[][] qkv, int at)
        {
            var result = new double[d];
            var wide = d / options.Heads;
            for (var head = 0; head < options.Heads; head++)
            {
                double[] Part(int token, int kind) => qkv[token][((kind * d) + (head * wide))..((kind * d) + ((head + 1) * wide))];
                var exps = Enumerable.Range(0, at + 1).Select(j => Math.Exp(Dot(Part(at, 0), Part(j, 1)) / Math.Sqrt(wide))).ToArray();
                for (var j = 0; j <= at; j++)
                {
                    for (var k = 0; k < wide; k++)
                    {
                        result[(head * wide) + k] += exps[j] / exps.Sum() * Part(j, 2)[k];
                    }
                }
            }

            return result;
        }

        private double[] Row(string table, int row) => weights[table][(row * d)..((row + 1) * d)];

        private double[] Linear(string name, double[] x, int rows) =>
            [.. Enumerable.Range(0, rows).Select(r => Dot(weights[name + ".weight"][(r * x.Length)..((r + 1) * x.Length)], x) + weights[name + ".bias"][r])];

        private double[] Norm(string name, double[] x)
        {
            var mean = x.Average();
            var deviation = Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + 1e-5);
            return [.. x.Select((v, i) => ((v - mean) / deviation * weights[name + ".weight"][i]) + weights[name + ".bias"][i])];
        }
    }
}
