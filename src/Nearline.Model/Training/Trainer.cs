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
    /// Trains on a split's training part and keeps the weights of the epoch with the best average HR@20 on the
    /// targets that epochs are chosen on; the last epoch's when there are none. Sets the process's torch seed and thread count.
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
        if (options.AllPositions && !config.Causal)
        {
            throw new ArgumentException(
                $"AllPositions: true with {config.Name}, whose self-attention looks both ways (Causal false); it would see its targets", nameof(options));
        }

        if (options.CgLoss > 0 && config.Channels != ModelChannels.IdAndCg)
        {
            throw new ArgumentException($"CgLoss: {options.CgLoss} with variant '{config.Variant}', which has no CG channel of its own; must be 0", nameof(options));
        }

        start.Folder?.Check(split, config, options);
        KeptMemory.Use();
        TorchThreads.Use(start.Folder?.Info.Threads ?? (options.Threads == 0 ? null : options.Threads));
        var device = Devices.Of(options.Device);
        var train = split.TrainDataset;
        var model = TrainedModel.Fresh(train, config, options, options.Seed, train.Fingerprint(), device, start.Graph);
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
                if (split.EpochTargets.Count > 0 && (isLast || epoch % options.EvaluateEvery == 0))
                {
                    using var retriever = model.CreateRetriever();
                    var validation = Evaluator.Evaluate(retriever, split.Dataset, split.EpochTargets, cancellationToken);
                    isBest = state.IsBetter(validation.Average.Hr20);
                    report = report with { Validation = validation.Average, Scenarios = validation.Scenarios };
                }

                isBest |= split.EpochTargets.Count == 0 && isLast;
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
            var (samples, batches, learningRate) = (0L, 0, 0.0);
            var clock = Stopwatch.StartNew();
            foreach (var part in sampler.Epoch(random))
            {
                foreach (var batch in part.Batches(options.BatchSize, random))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    learningRate = LearningRateAt(epoch, samples);
                    var step = Step(state, batch, learningRate, random);
                    state.Average?.Update();
                    for (var i = 0; i < losses.Length; i++)
                    {
                        losses[i] += step[i];
                    }

                    samples += batch.Count;
                    batches++;
                }
            }

            model.Network.eval();
            var means = losses.Select(l => l / batches).ToArray();
            return new TrainingProgress(
                epoch, options.Epochs, means[0], means[1], means[2], means[3], samples / clock.Elapsed.TotalSeconds, TimeSpan.Zero, null, false)
            {
                Step = state.Steps,
                LearningRate = learningRate,
                GradientNorm = options.GradientClip > 0 ? means[4] : null,
            };
        }

        /// <summary>Falls linearly to zero over all epochs.</summary>
        private double LearningRateAt(int epoch, long samples) =>
            options.LearningRate * Math.Max(0, 1 - ((epoch - 1 + Math.Min(1, (double)samples / sampler.PerEpoch)) / options.Epochs));

        /// <summary>One step; the loss, its three parts, and the gradient's norm.</summary>
        private double[] Step(TrainingState state, TrainingSamples samples, double learningRate, Random random)
        {
            using var scope = NewDisposeScope();
            foreach (var group in state.Optimizer.ParamGroups)
            {
                group.LearningRate = learningRate;
            }

            state.Steps++;
            int[] views = [.. Enumerable.Range(0, samples.Count)];
            var batch = BatchTensors.From(
                samples.Users, views, [.. samples.Scenarios], model.Schema.Scenarios.Count, device, model.Config.LookBack);
            var loss = HybridLoss.Of(model.Network, batch, samples.Users, samples.Targets, options, random, negatives?.Draw(random));
            state.Optimizer.zero_grad();
            loss.Total.backward();
            var norm = options.GradientClip > 0 ? nn.utils.clip_grad_norm_(state.Learning, options.GradientClip) : 0;
            state.Optimizer.step();
            var parts = stack([loss.Total.detach(), loss.Match.detach(), loss.Mlm.detach(), loss.Disagreement.detach()]);
            return [.. parts.cpu().data<float>().ToArray(), norm];
        }
    }
}
