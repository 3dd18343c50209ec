using System.Diagnostics;
using Nearline.Model.Data;
using Nearline.Model.Index;
using Nearline.Model.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Evaluation;

/// <summary>Trains the network of SASRec: at every show of a sequence, cross-entropy of the next one over all shows.</summary>
internal sealed class SasrecTrainer
{
    private readonly TrainingWatches watches;
    private readonly SasrecNetwork network;
    private readonly SasrecOptions options;
    private readonly Device device;
    private readonly int[][] sequences;
    private readonly List<Held> held = [];

    public SasrecTrainer(Split split, TrainingWatches watches, SasrecNetwork network, SasrecOptions options, Device device)
    {
        this.watches = watches;
        this.network = network;
        this.options = options;
        this.device = device;
        sequences = [.. watches.Users.Where(u => u.Length > 1).Select(u => u[Math.Max(0, u.Length - options.MaxLength - 1)..])];
        if (sequences.Length == 0)
        {
            throw new ArgumentException("split: no user of its training part watched two shows; there is no next one to learn", nameof(split));
        }

        ReadHeld(split);
    }

    /// <summary>Trains and leaves the best weights in the network.</summary>
    /// <returns>The epochs that ran, and the one that the weights are of.</returns>
    public (int Epochs, int Best) Train(IProgress<SasrecProgress>? progress, CancellationToken cancellationToken)
    {
        Parameter[] parameters = [.. network.parameters()];
        using var optimizer = optim.Adam(parameters, options.LearningRate);
        using var best = new WeightSnapshot(network);
        var random = new Random(options.Seed);
        var (bestEpoch, bestNdcg) = (0, double.NegativeInfinity);
        var clock = Stopwatch.StartNew();
        var epoch = 0;
        var isOver = false;
        while (!isOver)
        {
            epoch++;
            network.train();
            var (loss, batches) = (0.0, 0);
            random.Shuffle(sequences);
            foreach (var batch in sequences.Chunk(options.BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                loss += Step(optimizer, batch);
                batches++;
            }

            network.eval();
            double? ndcg = held.Count > 0 ? Ndcg10(cancellationToken) : null;
            var isBest = ndcg is { } n ? n > bestNdcg : epoch == options.Epochs;
            if (isBest)
            {
                best.Take();
                (bestEpoch, bestNdcg) = (epoch, ndcg ?? 0);
            }

            progress?.Report(new SasrecProgress(epoch, options.Epochs, loss / batches, ndcg, isBest, clock.Elapsed));
            isOver = epoch == options.Epochs || (held.Count > 0 && options.Patience > 0 && epoch - bestEpoch >= options.Patience);
        }

        best.Restore();
        return (epoch, bestEpoch);
    }

    private float Step(optim.Optimizer optimizer, int[][] chosen)
    {
        using var scope = NewDisposeScope();
        var batch = SasrecBatch.Of([.. chosen.Select(s => new ArraySegment<int>(s, 0, s.Length - 1))], device);
        long[] targets = [.. chosen.SelectMany(s => s.Skip(1)).Select(row => (long)row)];
        var hidden = network.Forward(batch).index_select(0, tensor(batch.Tokens(), device: device));
        var loss = nn.functional.cross_entropy(network.Scores(hidden), tensor(targets, device: device));
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }

    /// <summary>The validation targets as the evaluator would ask for them, read once.</summary>
    private void ReadHeld(Split split)
    {
        var pools = split.Dataset.Scenarios.ToDictionary(
            s => s.Id, s => ItemMask.Of(watches.Shows.Count, row => s.Admits(watches.Shows[row])), StringComparer.Ordinal);
        foreach (var (target, request) in Evaluator.Requests(split.Dataset, split.EpochTargets))
        {
            var row = watches.RowOf(target.ShowId);
            if (row < 0)
            {
                continue;
            }

            var watched = watches.RowsOf(request.History);
            held.Add(new Held(
                new ArraySegment<int>(watched)[Math.Max(0, watched.Length - options.MaxLength)..], watched, pools[target.Scenario], row));
        }
    }

    private double Ndcg10(CancellationToken cancellationToken)
    {
        var gain = 0.0;
        var scores = new float[options.BatchSize * watches.Shows.Count];
        foreach (var batch in held.Chunk(options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Array.Clear(scores);
            Memory<float>[] rows = [.. batch.Select((_, i) => scores.AsMemory(i * watches.Shows.Count, watches.Shows.Count))];
            Sasrec.Score(network, [.. batch.Select(h => h.Sequence)], rows, device);
            for (var i = 0; i < batch.Length; i++)
            {
                var rank = batch[i].Rank(rows[i].Span);
                gain += rank <= 10 ? 1 / Math.Log2(rank + 1) : 0;
            }
        }

        return gain / held.Count;
    }

    /// <summary>A validation target.</summary>
    /// <param name="Sequence">What the network reads.</param>
    /// <param name="Watched">What the set leaves out.</param>
    /// <param name="Pool">What the set may contain.</param>
    /// <param name="Target">The row to find.</param>
    private sealed record Held(ArraySegment<int> Sequence, int[] Watched, ItemMask Pool, int Target)
    {
        /// <summary>The target's rank in its set, from 1.</summary>
        public int Rank(Span<float> scores)
        {
            var mine = scores[Target];
            foreach (var row in Watched)
            {
                scores[row] = float.NegativeInfinity;
            }

            var rank = 1;
            for (var row = 0; row < scores.Length; row++)
            {
                if ((scores[row] > mine || (scores[row] == mine && row < Target)) && Pool[row])
                {
                    rank++;
                }
            }

            return rank;
        }
    }
}
