using System.Diagnostics;
using System.Globalization;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Serving;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>Trains M5 with the hybrid loss (paper, section 4.6).</summary>
public static class Trainer
{
    /// <summary>
    /// Trains on a split's training part and keeps the weights of the epoch with the best average HR@20 on its
    /// validation targets; the last epoch's when there are none. Sets the process's torch seed and thread count.
    /// </summary>
    /// <param name="split">What to learn from and choose by; its test targets are not looked at.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="options">How to train.</param>
    /// <param name="progress">Told after every epoch.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <exception cref="ArgumentException">An option makes no sense, or the training part has no instance.</exception>
    public static TrainedModel Train(
        Split split,
        M5Config config,
        TrainingOptions options,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        TorchThreads.Use(options.Threads == 0 ? null : options.Threads);
        var device = Devices.Of(options.Device);
        var train = split.TrainDataset;
        var model = TrainedModel.Fresh(train, config, options, options.Seed, train.Fingerprint(), device);
        try
        {
            new Run(split, model, options, device).Train(progress, cancellationToken);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private sealed class Run
    {
        private readonly Split split;
        private readonly TrainedModel model;
        private readonly TrainingOptions options;
        private readonly Device device;
        private readonly Random random;
        private readonly TrainingSampler sampler;
        private readonly long plannedSteps;
        private long steps;

        public Run(Split split, TrainedModel model, TrainingOptions options, Device device)
        {
            this.split = split;
            this.model = model;
            this.options = options;
            this.device = device;
            random = new Random(options.Seed);
            sampler = new TrainingSampler(split.TrainDataset, new FeatureEncoder(model.Schema), options);
            if (sampler.PerEpoch == 0)
            {
                throw new ArgumentException("split: its training part has no unfamiliar watch to learn from", nameof(split));
            }

            plannedSteps = options.Epochs * ((sampler.PerEpoch + options.BatchSize - 1) / options.BatchSize);
        }

        public void Train(IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
        {
            Parameter[] parameters = [.. model.Network.parameters().Where(p => p.requires_grad)];
            using var optimizer = optim.Adam(parameters, options.LearningRate);
            using var average = options.WeightAverage > 0 ? new WeightAverage(model.Network, options.WeightAverage) : null;
            using var best = new WeightSnapshot(model.Network);
            var reports = new List<TrainingProgress>();
            var (bestHr, sinceBest) = (double.NegativeInfinity, 0);
            var clock = Stopwatch.StartNew();
            StartCsv();
            for (var epoch = 1; epoch <= options.Epochs; epoch++)
            {
                var (losses, rate) = Epoch(optimizer, parameters, average, cancellationToken);
                var isLast = epoch == options.Epochs;
                ScenarioMetrics? validation = null;
                var isBest = false;
                average?.Swap();
                if (split.Validation.Count > 0 && (isLast || epoch % options.EvaluateEvery == 0))
                {
                    using var retriever = model.CreateRetriever();
                    validation = Evaluator.Evaluate(retriever, split.Dataset, split.Validation, cancellationToken).Average;
                    isBest = validation.Hr20 > bestHr;
                    (bestHr, sinceBest) = isBest ? (validation.Hr20, 0) : (bestHr, sinceBest + 1);
                }

                isBest |= split.Validation.Count == 0 && isLast;
                if (isBest)
                {
                    best.Take();
                    model.BestEpoch = epoch;
                }

                average?.Swap();
                reports.Add(new TrainingProgress(
                    epoch, options.Epochs, losses[0], losses[1], losses[2], losses[3], rate, clock.Elapsed, validation, isBest));
                AppendCsv(reports[^1]);
                progress?.Report(reports[^1]);
                if (options.Patience > 0 && sinceBest >= options.Patience)
                {
                    break;
                }
            }

            best.Restore();
            model.Epochs = reports;
        }

        private (double[] Losses, double Rate) Epoch(
            optim.Optimizer optimizer, Parameter[] parameters, WeightAverage? average, CancellationToken cancellationToken)
        {
            model.Network.train();
            var losses = new double[4];
            var (samples, batches) = (0L, 0);
            var clock = Stopwatch.StartNew();
            var encoded = new EncodedBatch();
            foreach (var part in sampler.Epoch(random))
            {
                var order = Enumerable.Range(0, part.Count).ToArray();
                random.Shuffle(order);
                foreach (var chosen in order.Chunk(options.BatchSize))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    encoded.Clear();
                    foreach (var instance in chosen)
                    {
                        encoded.AppendFrom(part.Users, instance);
                    }

                    var step = Step(optimizer, parameters, encoded, part, chosen);
                    average?.Update();
                    for (var i = 0; i < losses.Length; i++)
                    {
                        losses[i] += step[i];
                    }

                    samples += chosen.Length;
                    batches++;
                }
            }

            model.Network.eval();
            return ([.. losses.Select(l => l / batches)], samples / clock.Elapsed.TotalSeconds);
        }

        private float[] Step(
            optim.Optimizer optimizer, Parameter[] parameters, EncodedBatch encoded, TrainingSamples part, int[] chosen)
        {
            using var scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = options.LearningRate * Math.Max(0, 1 - ((double)steps / plannedSteps));
            }

            steps++;
            int[] users = [.. Enumerable.Range(0, chosen.Length)];
            int[] scenarios = [.. chosen.Select(c => part.Scenarios[c])];
            var batch = BatchTensors.From(encoded, users, scenarios, model.Schema.Scenarios.Count, device);
            var loss = HybridLoss.Of(model.Network, batch, encoded, [.. chosen.Select(c => part.Targets[c])], options, random);
            optimizer.zero_grad();
            loss.Total.backward();
            if (options.GradientClip > 0)
            {
                nn.utils.clip_grad_norm_(parameters, options.GradientClip);
            }

            optimizer.step();
            var parts = stack([loss.Total.detach(), loss.Match.detach(), loss.Mlm.detach(), loss.Disagreement.detach()]);
            return parts.cpu().data<float>().ToArray();
        }

        private void StartCsv()
        {
            if (options.CsvPath is { } path)
            {
                File.WriteAllText(path, "epoch,loss,match,mlm,disagreement,samples_per_second,seconds,hr20,hr100,ndcg10,best\n");
            }
        }

        private void AppendCsv(TrainingProgress p)
        {
            if (options.CsvPath is { } path)
            {
                File.AppendAllText(path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{p.Epoch},{p.Loss:0.#####},{p.Match:0.#####},{p.Mlm:0.#####},{p.Disagreement:0.#####},{p.SamplesPerSecond:0.#},{p.Elapsed.TotalSeconds:0.##},{p.Validation?.Hr20:0.#####},{p.Validation?.Hr100:0.#####},{p.Validation?.Ndcg10:0.#####},{(p.IsBest ? 1 : 0)}\n"));
            }
        }
    }
}
