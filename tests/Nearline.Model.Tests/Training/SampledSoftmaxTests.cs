using Nearline.Model.Evaluation;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class SampledSoftmaxTests : IDisposable
{
    private const int Items = 120;

    // Row 0 has two targets, row 1 one and many exclusions, row 2 one.
    private static readonly SoftmaxTargets Targets = new([3, 40, Items + 7, (2 * Items) + 40], [0.75f, 0.25f, 1, 1]);
    private static readonly SoftmaxWeighting Watched = new([5, 6, .. Enumerable.Range(60, 50).Select(i => (long)(Items + i))], 0);
    private static readonly int[] Popularity = [.. Enumerable.Range(0, Items).Select(i => i % 10 == 9 ? 0 : 5000 / (1 + i))];

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Drawing_every_show_once_is_the_full_softmax()
    {
        var (query, items) = Inputs();
        var every = new NegativeSample([.. Enumerable.Range(0, Items).Reverse()], new float[Items]);
        var (full, sampled) = (Measure(query, items, null), Measure(query, items, every));
        Assert.Equal(full.Loss, sampled.Loss, 1e-9);
        Assert.All(full.Gradient.Zip(sampled.Gradient), p => Assert.Equal(p.First, p.Second, 1e-9));
    }

    [Fact]
    public void The_mean_over_draws_is_the_full_softmax_with_the_correction_and_not_without()
    {
        var (query, items) = Inputs();
        var full = Measure(query, items, null);
        var sampler = new NegativeSampler(Popularity, 60);
        var random = new Random(11);
        const int draws = 400;
        var (corrected, uncorrected, gradient) = (0.0, 0.0, new double[full.Gradient.Length]);
        for (var i = 0; i < draws; i++)
        {
            var sample = sampler.Draw(random);
            var measured = Measure(query, items, sample);
            corrected += measured.Loss / draws;
            uncorrected += Measure(query, items, sample with { LogExpected = new float[60] }).Loss / draws;
            for (var k = 0; k < gradient.Length; k++)
            {
                gradient[k] += measured.Gradient[k] / draws;
            }
        }

        // The logarithm of an estimate is a little low in the mean; at this size by less than the bound.
        Assert.InRange(corrected - full.Loss, -0.15, 0.05);
        Assert.True(Math.Abs(uncorrected - full.Loss) > 0.5, $"{uncorrected} without correction, {full.Loss} in full");
        Assert.True(Distance(gradient, full.Gradient) < 0.1, $"gradient off by {Distance(gradient, full.Gradient)}");
    }

    [Fact]
    public void More_negatives_come_nearer()
    {
        var (query, items) = Inputs();
        var full = Measure(query, items, null);
        var errors = new[] { 30, 300, 3000, 30000 }.Select(count =>
            Distance(Measure(query, items, new NegativeSampler(Popularity, count).Draw(new Random(3))).Gradient, full.Gradient)).ToArray();
        Assert.True(errors[3] < 0.02 && errors[3] < errors[1] && errors[1] < errors[0], string.Join(" ", errors));
    }

    [Fact]
    public void Its_gradient_is_that_of_finite_differences()
    {
        var (query, items) = Inputs();
        var sample = new NegativeSampler(Popularity, 40).Draw(new Random(5));
        Tensors.CheckGradients(
            () => SoftmaxLoss.Of(query, items, Watched, Targets, sample), [("query", query), ("items", items)]);
    }

    [Fact]
    public void Own_targets_and_excluded_shows_are_no_negatives_but_are_for_other_rows()
    {
        var (query, items) = Inputs();
        double Loss(params int[] drawn) =>
            SoftmaxLoss.Of(query, items, Watched, Targets, new NegativeSample(drawn, new float[drawn.Length])).item<double>();

        // 40 is a target of rows 0 and 2, 7 of row 1; 61 is excluded for row 1.
        using var gradient = no_grad();
        var scores = Tensors.Doubles(query.matmul(items.t()));
        double Term(double weight, double target, params double[] others) =>
            -weight * (target - Math.Log(others.Append(target).Sum(Math.Exp)));
        var expected =
            Term(0.75, scores[3], scores[40], scores[7], scores[61]) + Term(0.25, scores[40], scores[3], scores[7], scores[61]) +
            Term(1, scores[Items + 7], scores[Items + 40]) +
            Term(1, scores[(2 * Items) + 40], scores[(2 * Items) + 7], scores[(2 * Items) + 61]);
        Assert.Equal(expected, Loss(40, 7, 61), 1e-9);
    }

    [Fact]
    public void A_watched_show_counts_for_as_many_as_its_weight()
    {
        var (query, items) = Inputs();
        var weighting = Watched with { Weight = 5 };
        var scores = Tensors.Doubles(query.matmul(items.t()));
        var expected = Targets.Places.Zip(Targets.Weights, (place, weight) =>
        {
            var row = place / Items;
            return weight * (Math.Log(Enumerable.Range(0, Items)
                .Sum(i => (weighting.Places.Contains((row * Items) + i) ? 5 : 1) * Math.Exp(scores[(row * Items) + i]))) - scores[place]);
        }).Sum();
        Assert.Equal(expected, SoftmaxLoss.Of(query, items, weighting, Targets).item<double>(), 1e-6);

        // Negatives that hold every show once, but for the rows' own targets, which count by themselves.
        var every = new NegativeSample([.. Enumerable.Range(0, Items)], new float[Items]);
        Assert.Equal(expected, SoftmaxLoss.Of(query, items, weighting, Targets, every).item<double>(), 1e-6);
    }

    [Fact]
    public void Draws_follow_the_mix_of_uniform_and_popular()
    {
        var sampler = new NegativeSampler([0, 16, 81], 30_000);
        double[] expected = [1 / 6.0, (1 / 6.0) + (0.5 * 8 / 35), (1 / 6.0) + (0.5 * 27 / 35)];
        var sample = sampler.Draw(new Random(1));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(expected[i], sampler.Chance(i), 1e-12);
            Assert.Equal(expected[i], sample.Items.Count(item => item == i) / 30_000.0, 0.01);
            Assert.Equal(Math.Log(30_000 * expected[i]), sample.LogExpected[Array.IndexOf(sample.Items, i)], 1e-5);
        }

        Assert.Equal(0.25, new NegativeSampler([0, 0, 0, 0], 1).Chance(2), 1e-12);
    }

    [Fact]
    public void Training_on_a_third_of_the_catalog_comes_close_to_training_on_all_of_it()
    {
        var split = Splits.LeaveOneOut(TinyWorld.Create(120));
        var options = TrainingOptions.Small with
        {
            Epochs = 16,
            BatchSize = 32,
            SamplesPerUser = 0,
            LearningRate = 0.01,
            FutureTargets = 2,
            WeightAverage = 0,
            EvaluateEvery = 4,
            Patience = 0,
            Threads = 1,
            Device = "cpu",
        };
        using var full = Trainer.Train(split, TinyWorld.Config, options);
        using var sampled = Trainer.Train(split, TinyWorld.Config, options with { SoftmaxNegatives = 16 });
        double Best(TrainedModel model) => model.Epochs.Max(e => e.Validation?.Ndcg10 ?? 0);
        Assert.True(Best(sampled) > 0.9 * Best(full), $"NDCG@10 {Best(sampled)} sampled, {Best(full)} in full");
    }

    private static (Tensor Query, Tensor Items) Inputs() => (
        (Tensors.Random(1, 3, 8) * 1.5).detach().requires_grad_(),
        Tensors.Random(2, Items, 8).detach().requires_grad_());

    private static (double Loss, double[] Gradient) Measure(Tensor query, Tensor items, NegativeSample? negatives)
    {
        using var inner = NewDisposeScope();
        query.grad?.zero_();
        items.grad?.zero_();
        var loss = SoftmaxLoss.Of(query, items, Watched, Targets, negatives);
        loss.backward();
        return (loss.item<double>(), [.. Tensors.Doubles(query.grad!), .. Tensors.Doubles(items.grad!)]);
    }

    private static double Distance(double[] a, double[] b) =>
        Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum() / b.Sum(x => x * x));
}
