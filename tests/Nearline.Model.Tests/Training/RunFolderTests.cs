using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using Nearline.Model.Training.Runs;
using TorchSharp;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class RunFolderTests
{
    private static readonly TrainingOptions Options = TrainingOptions.Small with
    {
        Epochs = 6,
        BatchSize = 32,
        SamplesPerUser = 3,
        FutureTargets = 2,
        Threads = 1,
        Device = "cpu",
        WeightAverage = 0.9,
        EvaluateEvery = 2,
        Patience = 0,
    };

    // Dropout and masking are where randomness would show.
    private static readonly M5Config Config = TinyWorld.Config with { InputDropout = 0.2, EncoderDropout = 0.2 };

    private static readonly RunSetting Setting = new("world", null, "leave-one-out", "models", true);

    [Theory]
    [InlineData(1, 0.9, true, 0)]
    [InlineData(3, 0, true, 20)]
    [InlineData(4, 0.9, false, 0)]
    public void A_run_that_is_interrupted_and_resumed_ends_bit_equal(int epochs, double weightAverage, bool trainCg, int negatives)
    {
        using var directory = new TempDirectory();
        var split = Splits.LeaveOneOut(TinyWorld.Create(40));
        var (config, options) = (Config with { TrainCg = trainCg }, Options with { WeightAverage = weightAverage, SoftmaxNegatives = negatives });
        using var whole = Trainer.Train(split, config, options);

        using (var stop = new CancellationTokenSource())
        using (var folder = RunFolder.Create(directory["run"], split, config, options, Setting))
        {
            Assert.Throws<OperationCanceledException>(() => Trainer.Train(
                split,
                config,
                options,
                new TrainingStart { Folder = folder },
                new Inline(p =>
                {
                    if (p.Epoch == epochs)
                    {
                        stop.Cancel();
                    }
                }),
                stop.Token));
        }

        var seen = new List<int>();
        using (var folder = RunFolder.Open(directory["run"]))
        {
            using var resumed = Trainer.Train(
                split, folder.Info.Config, folder.Info.Training, new TrainingStart { Folder = folder }, new Inline(p => seen.Add(p.Epoch)));
            Assert.Equal(Bytes(whole), Bytes(resumed));
            Assert.Equal(whole.BestEpoch, resumed.BestEpoch);
            Assert.Equal(whole.Epochs.Select(Timeless), resumed.Epochs.Select(Timeless));
            Assert.True(resumed.Epochs.Zip(resumed.Epochs.Skip(1)).All(p => p.First.Elapsed < p.Second.Elapsed));
        }

        Assert.Equal(Enumerable.Range(epochs + 1, options.Epochs - epochs), seen);

        // What is over is only read back.
        using (var folder = RunFolder.Open(directory["run"]))
        {
            using var again = Trainer.Train(
                split, config, options, new TrainingStart { Folder = folder }, new Inline(_ => Assert.Fail("an epoch was trained")));
            Assert.Equal(Bytes(whole), Bytes(again));
        }
    }

    [Fact]
    public void An_early_end_is_an_end_for_a_resumed_run_too()
    {
        using var directory = new TempDirectory();
        var split = Splits.LeaveOneOut(TinyWorld.Create(30));
        var options = Options with { Epochs = 30, EvaluateEvery = 1, Patience = 1, LearningRate = 1e-7, WeightAverage = 0 };
        using var folder = RunFolder.Create(directory["run"], split, Config, options, Setting);
        using var model = Trainer.Train(split, Config, options, new TrainingStart { Folder = folder });
        Assert.InRange(model.Epochs.Count, 2, 29);
        using var again = Trainer.Train(
            split, Config, options, new TrainingStart { Folder = folder }, new Inline(_ => Assert.Fail("an epoch was trained")));
        Assert.Equal(model.Epochs.Count, again.Epochs.Count);
    }

    [Fact]
    public void What_a_torn_write_left_behind_does_not_matter()
    {
        using var directory = new TempDirectory();
        var split = Splits.LeaveOneOut(TinyWorld.Create(30));
        var options = Options with { Epochs = 2 };
        using var whole = Trainer.Train(split, Config, options);
        using var folder = RunFolder.Create(directory["run"], split, Config, options, Setting);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Trainer.Train(
            split, Config, options, new TrainingStart { Folder = folder }, new Inline(_ => stop.Cancel()), stop.Token));
        File.WriteAllBytes(folder.CheckpointPath + ".tmp", File.ReadAllBytes(folder.CheckpointPath)[..1000]);
        using var resumed = Trainer.Train(split, Config, options, new TrainingStart { Folder = folder });
        Assert.Equal(Bytes(whole), Bytes(resumed));

        File.WriteAllBytes(folder.CheckpointPath, File.ReadAllBytes(folder.CheckpointPath)[..1000]);
        var error = Assert.Throws<InvalidDataException>(() => Trainer.Train(split, Config, options, new TrainingStart { Folder = folder }));
        Assert.Contains(folder.CheckpointPath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_training_is_refused_by_name()
    {
        using var directory = new TempDirectory();
        var world = TinyWorld.Create(20);
        var split = Splits.LeaveOneOut(world);
        var options = Options with { Epochs = 1 };
        using var folder = RunFolder.Create(directory["run"], split, Config, options, Setting);
        using (Trainer.Train(split, Config, options, new TrainingStart { Folder = folder }))
        {
        }

        Refused("Epochs: 1 there, 2 now", split, Config, options with { Epochs = 2 });
        Refused("Seed: 1 there, 7 now", split, Config, options with { Seed = 7 });
        Refused("SinHidden: [12] there, [13] now", split, Config with { SinHidden = [13] }, options);
        Refused("Width: 16 there, 24 now", split, Config with { Width = 24 }, options);
        Refused("data fingerprint: sha256:", Splits.LeaveOneOut(TinyWorld.Create(21)), Config, options);

        // The training part is the same, what is held out is not.
        var last = split.Test.GroupBy(t => t.User).First().Key;
        var users = world.Users.Select((u, i) => i == last ? u with { Actions = [.. u.Actions, u.Actions[^1] with { Time = u.Actions[^1].Time.AddDays(1) }] } : u);
        Refused("held-out watches: sha256:", Splits.LeaveOneOut(world with { Users = [.. users] }), Config, options);

        // A checkpoint of another schema, such as an older program's.
        var state = Checkpoint.ReadState(folder.CheckpointPath);
        Checkpoint.Save(folder.CheckpointPath, state with { Schema = "sha256:other" }, []);
        Refused("schema: sha256:other there", split, Config, options);

        void Refused(string expected, Split given, M5Config config, TrainingOptions training)
        {
            var error = Assert.Throws<InvalidDataException>(
                () => Trainer.Train(given, config, training, new TrainingStart { Folder = folder }));
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            Assert.Contains(directory["run"], error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_folder_holds_one_run_of_one_process()
    {
        using var directory = new TempDirectory();
        var split = Splits.LeaveOneOut(TinyWorld.Create(10));
        Assert.Contains("run.json", Assert.Throws<InvalidDataException>(() => RunFolder.Open(directory["none"])).Message, StringComparison.Ordinal);
        using (RunFolder.Create(directory["run"], split, Config, Options, Setting))
        {
            var busy = Assert.Throws<InvalidDataException>(() => RunFolder.Open(directory["run"]));
            Assert.Contains("another process", busy.Message, StringComparison.Ordinal);
        }

        var there = Assert.Throws<InvalidDataException>(() => RunFolder.Create(directory["run"], split, Config, Options, Setting));
        Assert.Contains("resume it", there.Message, StringComparison.Ordinal);
        using (var folder = RunFolder.Open(directory["run"]))
        {
            Assert.Equal(Options, folder.Info.Training);
            Assert.Equal(Config, folder.Info.Config with { SinHidden = Config.SinHidden });
            Assert.Equal(Setting, folder.Info.Setting);
            folder.Finish(new RunResult(DateTimeOffset.UnixEpoch, "v1", 2, 1, 3.5, new Dictionary<string, double> { ["hr20"] = 0.25 }));
        }

        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory["run"], "run.json")));
        var root = json.RootElement;
        Assert.Equal("m5", root.GetProperty("config").GetProperty("variant").GetString());
        Assert.Equal(1, root.GetProperty("training").GetProperty("seed").GetInt32());
        Assert.Equal("leave-one-out", root.GetProperty("setting").GetProperty("protocol").GetString());
        Assert.Equal("cpu", root.GetProperty("device").GetString());
        Assert.Equal(1, root.GetProperty("threads").GetInt32());
        Assert.Equal(split.TrainDataset.Fingerprint(), root.GetProperty("data_fingerprint").GetString());
        Assert.NotEmpty(root.GetProperty("versions").GetProperty("torchsharp").GetString()!);
        Assert.Equal(0.25, root.GetProperty("result").GetProperty("metrics").GetProperty("hr20").GetDouble());
    }

    [Fact]
    public void Scalars_and_curves_tell_what_the_epochs_reported()
    {
        using var directory = new TempDirectory();
        var split = Splits.LeaveOneOut(TinyWorld.Create(30));
        using var folder = RunFolder.Create(directory["run"], split, Config, Options, Setting);
        using var model = Trainer.Train(split, Config, Options, new TrainingStart { Folder = folder });

        var lines = File.ReadAllLines(Path.Combine(folder.Path, "scalars.csv"));
        Assert.Equal("step,epoch,seconds,tag,value", lines[0]);
        var rows = lines.Skip(1).Select(l => l.Split(',')).Select(f => (
            step: long.Parse(f[0], CultureInfo.InvariantCulture),
            epoch: int.Parse(f[1], CultureInfo.InvariantCulture),
            seconds: double.Parse(f[2], CultureInfo.InvariantCulture),
            tag: f[3],
            value: double.Parse(f[4], CultureInfo.InvariantCulture))).ToList();
        Assert.Equal(model.Epochs.Select(e => e.Loss), rows.Where(r => r.tag == "loss/total").Select(r => r.value));
        Assert.Equal(model.Epochs.Select(e => e.GradientNorm!.Value), rows.Where(r => r.tag == "grad/norm").Select(r => r.value));
        Assert.Equal([2, 4, 6], rows.Where(r => r.tag == "validation/hr20/average").Select(r => r.epoch));
        foreach (var scenario in split.Dataset.Scenarios.Select(s => s.Id))
        {
            Assert.Equal(
                model.Epochs.Where(e => e.Scenarios.Count > 0).Select(e => e.Scenarios.Single(s => s.Scenario == scenario).Hr20),
                rows.Where(r => r.tag == $"validation/hr20/{scenario}").Select(r => r.value));
        }

        Assert.All(
            ["loss/match", "loss/mlm", "loss/disagreement", "rate/learning", "rate/samples_per_second"],
            tag => Assert.Equal(6, rows.Count(r => r.tag == tag)));
        var rates = rows.Where(r => r.tag == "rate/learning").Select(r => r.value).ToList();
        Assert.True(rates.Zip(rates.Skip(1)).All(p => p.First > p.Second) && rates[^1] > 0);
        Assert.Equal(rows.Max(r => r.step), rows.Where(r => r.epoch == 1).Max(r => r.step) * 6);

        var svg = XDocument.Load(Path.Combine(folder.Path, "curves.svg"));
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.Equal(ns + "svg", svg.Root!.Name);
        Assert.Equal(4 + 1 + 2, svg.Descendants(ns + "polyline").Count());
        Assert.Equal(6, svg.Descendants(ns + "polyline").First().Attribute("points")!.Value.Split(' ').Length);
        var texts = svg.Descendants(ns + "text").Select(t => t.Value).ToList();
        Assert.Equal(2, texts.Count(t => t == "epoch"));
        Assert.Contains("loss", texts);
        Assert.Contains("HR@20", texts);
        Assert.All(split.Dataset.Scenarios, s => Assert.Contains(texts, t => t.StartsWith(s.Id, StringComparison.Ordinal)));
        Assert.All(
            svg.Descendants(ns + "circle"),
            c => Assert.True(double.Parse(c.Attribute("cy")!.Value, CultureInfo.InvariantCulture) is >= 0 and <= 300));
    }

    [Fact]
    public void Curves_are_drawn_of_whatever_was_reported()
    {
        var diverged = new TrainingProgress(1, 3, double.NaN, double.PositiveInfinity, 0, 0, 1, TimeSpan.Zero, null, false);
        var metrics = new ScenarioMetrics("<a & \"b\"\u0001,\uD83D>", 1, 0.5, 0.5, 0.5);
        var odd = diverged with { Epoch = 2, Loss = -3, Validation = metrics, Scenarios = [metrics] };
        foreach (var epochs in new TrainingProgress[][] { [], [diverged], [diverged, odd], [odd] })
        {
            var text = Encoding.UTF8.GetString(CurvesSvg.Draw(epochs));
            Assert.Equal("svg", XDocument.Parse(text).Root!.Name.LocalName);
            Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        }

        Assert.Contains(
            "0,2,0,\"validation/hr20/<a & \"\"b\"\"\u0001,", Encoding.UTF8.GetString(Scalars.Csv([odd])), StringComparison.Ordinal);
    }

    private static object Timeless(TrainingProgress p) => new
    {
        p.Epoch,
        p.Loss,
        p.Match,
        p.Mlm,
        p.Disagreement,
        p.Validation,
        p.IsBest,
        p.Step,
        p.LearningRate,
        p.GradientNorm,
        Scenarios = string.Join(';', p.Scenarios),
    };

    private static Dictionary<string, string> Bytes(TrainedModel model) => model.Network.named_parameters().ToDictionary(
        p => p.name, p => Convert.ToHexString(MemoryMarshal.AsBytes<float>(p.parameter.detach().data<float>().ToArray())));

    private sealed class Inline(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
