using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class HybridLossTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 5)]
    [InlineData(3, 0)]
    public void The_loss_is_equations_2_5_7_8_and_9(int futureTargets, double watchedWeight)
    {
        var (batch, encoded, schema) = Tensors.Batch(4);
        manual_seed(1);
        using var model = new M5Model(schema, TinyWorld.Config, null);
        Tensors.Randomize(model, 2, 0.4);
        model.eval();
        var options = TrainingOptions.Small with
        {
            WatchedWeight = watchedWeight,
            SeparateMaskedPass = true,
            MaskRate = 0.4,
            Alpha = 0.3,
            Beta = 0.7,
            FutureDecay = 0.5,
            CgLoss = 0.2,
        };

        // Targets that nobody has watched, as the sampler draws them.
        var targets = Enumerable.Range(0, 4).Select(u => Enumerable.Range(0, schema.Shows.Count)
            .Where(i => !encoded.WatchedOf(u).Contains(i)).Skip(u).Take(futureTargets).ToArray()).ToArray();
        using var gradient = no_grad();
        var loss = HybridLoss.Of(model, batch, encoded, targets, options, new Random(9));

        var output = model.Forward(batch);
        var (uId, uCg, w) = (Tensors.Doubles(output.UserId), Tensors.Doubles(output.UserCg!), Tensors.Doubles(output.Weight!));
        var items = Tensors.Doubles(model.Items());
        var d = TinyWorld.Config.Width;
        var (match, cgMatch) = (0.0, 0.0);
        for (var u = 0; u < 4; u++)
        {
            double CgScore(int i) => Enumerable.Range(0, d).Sum(c => uCg[(u * d) + c] * items[(i * 2 * d) + d + c]);
            double Score(int i) => Enumerable.Range(0, d).Sum(c =>
                (w[u] * uId[(u * d) + c] * items[(i * 2 * d) + c]) + ((1 - w[u]) * uCg[(u * d) + c] * items[(i * 2 * d) + d + c]));
            double Log(Func<int, double> score) => Math.Log(Enumerable.Range(0, schema.Shows.Count)
                .Sum(i => (encoded.WatchedOf(u).Contains(i) ? watchedWeight : 1) * Math.Exp(score(i))));
            var weights = targets[u].Select((_, k) => Math.Pow(0.5, k)).ToArray();
            match += targets[u].Select((t, k) => weights[k] / weights.Sum() * (Log(Score) - Score(t))).Sum() / 4;
            cgMatch += targets[u].Select((t, k) => weights[k] / weights.Sum() * (Log(CgScore) - CgScore(t))).Sum() / 4;
        }

        Assert.Equal(match, loss.Match.item<float>(), 1e-4);

        var masked = MaskedShows.Of(batch, 0.4, new Random(9), CPU)!;
        var hidden = Tensors.Doubles(model.EncodeMasked(masked.Shows, batch));
        var positions = masked.Positions.data<long>().ToArray();
        var originals = masked.Targets.data<long>().ToArray();
        var mlm = positions.Select((position, m) =>
        {
            double Logit(long i) => Enumerable.Range(0, d).Sum(c => hidden[(position * d) + c] * items[(i * 2 * d) + c]);
            return Math.Log(Enumerable.Range(0, schema.Shows.Count).Sum(i => Math.Exp(Logit(i)))) - Logit(originals[m]);
        }).Average();
        Assert.Equal(mlm, loss.Mlm.item<float>(), 1e-4);

        var disagreement = (SplitMixtureOfExperts.Disagreement(output.IdExperts!).item<float>() +
            SplitMixtureOfExperts.Disagreement(output.CgExperts!).item<float>()) / 2;
        Assert.Equal(disagreement, loss.Disagreement.item<float>(), 1e-5);
        Assert.Equal(match + (0.3 * mlm) + (0.7 * disagreement) + (0.2 * cgMatch), loss.Total.item<float>(), 1e-4);
    }

    [Fact]
    public void Masking_replaces_main_ids_only_and_remembers_them()
    {
        var (batch, _, schema) = Tensors.Batch(12);
        var subsidiaries = batch.Subsidiaries.data<long>().ToArray();
        var masked = MaskedShows.Of(batch, 0.5, new Random(4), CPU)!;
        var (rows, positions, targets) = (
            masked.Shows.data<long>().ToArray(), masked.Positions.data<long>().ToArray(), masked.Targets.data<long>().ToArray());
        for (var t = 0; t < rows.Length; t++)
        {
            var at = Array.IndexOf(positions, t);
            Assert.Equal(at < 0 ? batch.ShowRows[t] : FeatureSchema.MaskRow, rows[t]);
            if (at >= 0)
            {
                Assert.Equal(batch.ShowRows[t] - FeatureSchema.FirstShowRow, targets[at]);
                Assert.InRange(targets[at], 0, schema.Shows.Count - 1);
            }
        }

        Assert.InRange(positions.Length, rows.Length / 4, rows.Length * 3 / 4);
        Assert.Equal(subsidiaries, batch.Subsidiaries.data<long>().ToArray());
        Assert.Equal(batch.ShowRows, batch.Shows.data<long>().ToArray());
        Assert.Null(MaskedShows.Of(batch, 0, new Random(4), CPU));
    }

    [Fact]
    public void In_a_shared_pass_the_cg_channel_still_sees_every_show()
    {
        var (batch, _, schema) = Tensors.Batch(6);
        manual_seed(1);
        using var model = new M5Model(schema, TinyWorld.Config, null);
        Tensors.Randomize(model, 2, 0.4);
        model.eval();
        using var gradient = no_grad();
        var masked = MaskedShows.Of(batch, 0.5, new Random(4), CPU)!;
        var (plain, seen) = (model.Forward(batch), model.Forward(batch, masked.Shows));
        Assert.Equal(Tensors.Doubles(plain.UserCg!), Tensors.Doubles(seen.UserCg!));
        Assert.NotEqual(Tensors.Doubles(plain.UserId), Tensors.Doubles(seen.UserId));
    }
}
