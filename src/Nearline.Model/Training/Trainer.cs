using System.Diagnostics;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Serving;
using Nearline.Model.Training.Runs;
using TorchSharp;
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
        CancellationToken cancellationToken = default) =>
        Train(split, config, options, new TrainingStart(), progress, cancellationToken);

    /// <summary>
    /// Trains with a run folder. An interrupted run that goes on from its checkpoint ends with the weights, bit by bit,
    /// that it would have had, on the same machine.
    /// </summary>
    /// <param name="split">What to learn from and choose by; its test targets are not looked at.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="options">How to train.</param>
    /// <param name="start">What to begin with and leave behind.</param>
    /// <param name="progress">Told after every epoch, once what the epoch leaves behind is written.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <exception cref="ArgumentException">An option makes no sense, or the training part has no instance.</exception>
    /// <exception cref="InvalidDataException">The run folder is of another training, or broken.</exception>
    public static TrainedModel Train(
        Split split,
        M5Config config,
        TrainingOptions options,
        TrainingStart start,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(start);
        options.Validate();
        start.Folder?.Check(split, config, options);
        TorchThreads.Use(start.Folder?.Info.Threads ?? (options.Threads == 0 ? null : options.Threads));
        var device = Devices.Of(options.Device);
        var train = split.TrainDataset;
        var model = TrainedModel.Fresh(train, config, options, options.Seed, train.Fingerprint(), device);
        try
        {
            new Run(split, model, options, start, device).Train(progress, cancellationToken);
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
        private readonly TrainingSampler sampler;
        private readonly NegativeSampler? negatives;
        private readonly long plannedSteps;
        private readonly TrainingStart start;
        private readonly RunFolder? folder;

        public Run(Split split, TrainedModel model, TrainingOptions options, TrainingStart start, Device device)
        {
            this.split = split;
            this.model = model;
            this.options = options;
            this.device = device;
            this.start = start;
            folder = start.Folder;
            sampler = new TrainingSampler(split.TrainDataset, new FeatureEncoder(model.Schema), options);
            if (sampler.PerEpoch == 0)
            {
                throw new ArgumentException("split: its training part has no unfamiliar watch to learn from", nameof(split));
            }

            negatives = options.SoftmaxNegatives == 0
                ? null
                : new NegativeSampler([.. model.Items.Select(i => i.Watchers)], options.SoftmaxNegatives);
            plannedSteps = options.Epochs * ((sampler.PerEpoch + options.BatchSize - 1) / options.BatchSize);
        }

        public void Train(IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
        {
            var isResumed = folder is not null && File.Exists(folder.CheckpointPath);
            if (!isResumed && start.From?.Apply(model.Network, model.Schema) is { } carried)
            {
                start.Started?.Invoke(carried);
            }

            using var state = new TrainingState(model.Network, options);
            var schema = model.Schema.Fingerprint();
            if (isResumed)
            {
                var saved = Checkpoint.ReadState(folder!.CheckpointPath);
                folder.Same("schema", saved.Schema, schema);
                state.Load(folder.CheckpointPath, saved);
                folder.WriteReports(state.Epochs);
            }

            var (clock, before) = (Stopwatch.StartNew(), state.Elapsed);
            for (var epoch = state.Epochs.Count + 1; epoch <= options.Epochs && !IsSpent(state); epoch++)
            {
                var report = Epoch(state, epoch, cancellationToken);
                var isLast = epoch == options.Epochs;
                var isBest = false;
                state.Average?.Swap();
                if (split.Validation.Count > 0 && (isLast || epoch % options.EvaluateEvery == 0))
                {
                    using var retriever = model.CreateRetriever();
                    var validation = Evaluator.Evaluate(retriever, split.Dataset, split.Validation, cancellationToken);
                    isBest = state.IsBetter(validation.Average.Hr20);
                    report = report with { Validation = validation.Average, Scenarios = validation.Scenarios };
                }

                isBest |= split.Validation.Count == 0 && isLast;
                if (isBest)
                {
                    state.Keep(epoch);
                }

                state.Average?.Swap();
                state.Epochs.Add(report with { Elapsed = before + clock.Elapsed, IsBest = isBest });
                if (folder is not null)
                {
                    state.Save(folder.CheckpointPath, schema);
                    folder.WriteReports(state.Epochs);
                }

                progress?.Report(state.Epochs[^1]);
            }

            state.Restore();
            model.BestEpoch = state.BestEpoch;
            model.Epochs = [.. state.Epochs];
        }

        private bool IsSpent(TrainingState state) => options.Patience > 0 && state.SinceBest >= options.Patience;

        /// <summary>
        /// Each epoch draws from generators of its own, seeded by its number: an epoch that is repeated after a kill
        /// draws the same.
        /// </summary>
        private Random Reseed(int epoch)
        {
            var mixed = unchecked(((((ulong)(uint)options.Seed) << 32) | (uint)epoch) * 0x9E3779B97F4A7C15);
            var seed = (int)((mixed ^ (mixed >> 29)) & int.MaxValue);
            manual_seed(seed);
            return new Random(seed);
        }

        private TrainingProgress Epoch(TrainingState state, int epoch, CancellationToken cancellationToken)
        {
            var random = Reseed(epoch);
            model.Network.train();
            var losses = new double[5];
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

                    var step = Step(state, encoded, part, chosen, random);
                    state.Average?.Update();
                    for (var i = 0; i < losses.Length; i++)
                    {
                        losses[i] += step[i];
                    }

                    samples += chosen.Length;
                    batches++;
                }
            }

            model.Network.eval();
            var means = losses.Select(l => l / batches).ToArray();
            return new TrainingProgress(
                epoch, options.Epochs, means[0], means[1], means[2], means[3], samples / clock.Elapsed.TotalSeconds, TimeSpan.Zero, null, false)
            {
                Step = state.Steps,
                LearningRate = LearningRateAt(state.Steps - 1),
                GradientNorm = options.GradientClip > 0 ? means[4] : null,
            };
        }

        private double LearningRateAt(long step) => options.LearningRate * Math.Max(0, 1 - ((double)step / plannedSteps));

        /// <summary>One step; the loss, its three parts, and the gradient's norm.</summary>
        private double[] Step(TrainingState state, EncodedBatch encoded, TrainingSamples part, int[] chosen, Random random)
        {
            using var scope = NewDisposeScope();
            foreach (var group in state.Optimizer.ParamGroups)
            {
                group.LearningRate = LearningRateAt(state.Steps);
            }

            state.Steps++;
            int[] users = [.. Enumerable.Range(0, chosen.Length)];
            int[] scenarios = [.. chosen.Select(c => part.Scenarios[c])];
            var batch = BatchTensors.From(encoded, users, scenarios, model.Schema.Scenarios.Count, device);
            var loss = HybridLoss.Of(model.Network, batch, encoded, [.. chosen.Select(c => part.Targets[c])], options, random, negatives?.Draw(random));
            state.Optimizer.zero_grad();
            loss.Total.backward();
            var norm = options.GradientClip > 0 ? nn.utils.clip_grad_norm_(state.Learning, options.GradientClip) : 0;
            state.Optimizer.step();
            var parts = stack([loss.Total.detach(), loss.Match.detach(), loss.Mlm.detach(), loss.Disagreement.detach()]);
            return [.. parts.cpu().data<float>().ToArray(), norm];
        }
    }
}
