using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class TrainerTests
{
    private static readonly TrainingOptions Options = TrainingOptions.Small with
    {
        Epochs = 2,
        BatchSize = 32,
        SamplesPerUser = 3,
        FutureTargets = 2,
        Threads = 1,
        Device = "cpu",
        WeightAverage = 0.9,
        EvaluateEvery = 1,
    };

    [Fact]
    public void A_world_with_structure_is_learned_far_better_than_popularity()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(120));
        var reports = new List<TrainingProgress>();
        using var model = Trainer.Train(
            split,
            TinyWorld.Config,
            Options with { Epochs = 16, SamplesPerUser = 0, LearningRate = 0.01, FutureTargets = 1, EvaluateEvery = 8 },
            new Inline(reports.Add));
        Assert.Equal(16, reports.Count);
        Assert.True(reports[^1].Match < reports[0].Match - 0.5, $"match {reports[0].Match} to {reports[^1].Match}");
        Assert.True(reports[^1].Mlm < reports[0].Mlm, $"mlm {reports[0].Mlm} to {reports[^1].Mlm}");
        Assert.Null(reports[0].Validation);
        Assert.Contains(reports, r => r.Epoch == model.BestEpoch && r.IsBest);

        using var retriever = model.CreateRetriever();
        using var popularity = PopularityBaseline.Of(split.TrainDataset);
        var (learned, popular) = (
            Evaluator.Evaluate(retriever, split.Dataset, split.Test).Average,
            Evaluator.Evaluate(popularity, split.Dataset, split.Test).Average);
        Assert.True(
            learned.Ndcg10 > popular.Ndcg10 + 0.2,
            $"NDCG@10 {learned.Ndcg10:0.000} against {popular.Ndcg10:0.000} of popularity");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Equal_seeds_give_equal_models_and_others_do_not(bool separatePass)
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(30));
        var options = Options with { SeparateMaskedPass = separatePass };
        var config = TinyWorld.Config with { InputDropout = 0.2, EncoderDropout = 0.2 };
        using var first = Trainer.Train(split, config, options);
        using var second = Trainer.Train(split, config, options);
        using var other = Trainer.Train(split, config, options with { Seed = 2 });
        Assert.Equal(Scores(first, split), Scores(second, split));
        Assert.NotEqual(Scores(first, split), Scores(other, split));
    }

    [Fact]
    public void The_kept_weights_are_those_of_the_best_epoch()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(40));
        using var model = Trainer.Train(split, TinyWorld.Config, Options with { Epochs = 4 });
        using var retriever = model.CreateRetriever();
        var now = Evaluator.Evaluate(retriever, split.Dataset, split.Validation).Average;
        Assert.Equal(model.Epochs.Max(e => e.Validation!.Hr20), now.Hr20);
        Assert.Equal(model.Epochs[model.BestEpoch - 1].Validation, now);
    }

    [Fact]
    public void Without_validation_targets_the_last_epoch_is_kept()
    {
        var split = Splits.Everything(TinyWorld.Create(20));
        Assert.Equal(split.Dataset.Users.Select(u => u.Actions.Count), split.TrainDataset.Users.Select(u => u.Actions.Count));
        using var model = Trainer.Train(split, TinyWorld.Config, Options with { Patience = 1 });
        Assert.Equal((2, 2), (model.Epochs.Count, model.BestEpoch));
        Assert.All(model.Epochs, e => Assert.Null(e.Validation));
    }

    [Fact]
    public void Epochs_leave_no_tensors_behind()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(40));
        var counts = new List<long>();
        using (Trainer.Train(split, TinyWorld.Config, Options with { Epochs = 5, Patience = 0 }, new Inline(_ => counts.Add(LiveTensors.Count()))))
        {
            Assert.Single(counts.Skip(1).Distinct());
        }
    }

    [Fact]
    public void Training_stops_when_cancelled_and_refuses_what_it_cannot_do()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(20));
        Assert.Throws<OperationCanceledException>(() => Trainer.Train(split, TinyWorld.Config, Options, null, new CancellationToken(true)));
        var error = Assert.Throws<ArgumentException>(() => Trainer.Train(split, TinyWorld.Config, Options with { MaskRate = 1.5 }));
        Assert.Contains("MaskRate: 1.5", error.Message, StringComparison.Ordinal);
        var nothing = split.Dataset with { Users = [new UserLog(new UserProfile("u"), [new UserAction(ActionKind.Login, TinyWorld.Start)])] };
        error = Assert.Throws<ArgumentException>(() => Trainer.Train(Splits.LeaveOneOut(nothing), TinyWorld.Config, Options));
        Assert.Contains("no unfamiliar watch", error.Message, StringComparison.Ordinal);
    }

    private static List<ScoredShow> Scores(TrainedModel model, Split split)
    {
        using var retriever = model.CreateRetriever();
        return
        [
            .. retriever.Retrieve([.. Evaluator.Requests(split.Dataset, split.Test).Select(r => r.Request)], 10).Users
                .SelectMany(u => u).SelectMany(s => s.Shows),
        ];
    }

    private sealed class Inline(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
