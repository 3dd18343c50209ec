using System.Runtime.InteropServices;
using System.Text.Json;
using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Bench.Training;

/// <summary>Our side of the training benchmark: a model, and batches as the trainer draws them.</summary>
/// <remarks>
/// A round does what the trainer does with drawn instances: it collects batches, lays them out, and steps. Drawing and
/// encoding histories is left out on both sides, since the peer gets them encoded.
/// </remarks>
internal sealed class TrainingSide : IDisposable
{
    private const int Seed = 1;

    private readonly Device device;
    private readonly TrainedModel model;
    private readonly TrainingOptions options;
    private readonly Parameter[] parameters;
    private readonly optim.Optimizer optimizer;
    private readonly TrainingSamples samples;
    private readonly int[][] batches;
    private readonly Random random = new(Seed);

    public TrainingSide(Dataset dataset, string preset, int batchSize, int batchCount, int threads, string deviceName)
    {
        TorchThreads.Use(threads);
        device = Devices.Of(deviceName);
        options = TrainingOptions.ByName(preset) with { BatchSize = batchSize, Threads = threads, Device = deviceName, Seed = Seed };
        var train = Splits.LeaveOneOut(dataset).TrainDataset;
        model = TrainedModel.Fresh(train, M5Config.ByName(preset), options, Seed, train.Fingerprint(), device);
        parameters = [.. model.Network.parameters().Where(p => p.requires_grad)];
        optimizer = optim.Adam(parameters, options.LearningRate);

        // A part of an epoch holds whole users; enough of them that batches mix users as in training.
        samples = new TrainingSampler(train, new FeatureEncoder(model.Schema), options).Epoch(new Random(Seed)).First();
        var order = Enumerable.Range(0, samples.Count).ToArray();
        new Random(Seed).Shuffle(order);
        if (order.Length < batchSize * batchCount)
        {
            throw new ArgumentException($"--batch, --batches: {batchSize} x {batchCount} instances; the data give {order.Length}", nameof(batchCount));
        }

        batches = [.. order.Take(batchSize * batchCount).Chunk(batchSize)];
    }

    public void Dispose()
    {
        optimizer.Dispose();
        model.Dispose();
    }

    /// <summary>The batches in figures.</summary>
    public object Describe()
    {
        var encoded = Collect([.. batches.SelectMany(b => b)]);
        var lengths = encoded.SequenceStarts.Zip(encoded.SequenceStarts.Skip(1), (from, to) => to - from).Where(l => l > 0).ToArray();
        return new
        {
            Instances = encoded.Count,
            encoded.Behaviours,
            Sequences = lengths.Length,
            MeanLength = lengths.Average(),
            Longest = lengths.Max(),
            Tokens = batches.Sum(b => Lay(b).Batch.Layout.Tokens),
        };
    }

    /// <summary>Writes shape, weights and batches, with the tokens that <see cref="Check"/> masks.</summary>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        using var scope = NewDisposeScope();
        SafeTensorsFile.Write(
            Path.Combine(directory, "weights.safetensors"),
            model.Network.named_parameters().Select(p => TensorData.Of<float>(p.name, p.parameter.detach().cpu().data<float>().ToArray(), p.parameter.shape)));
        SafeTensorsFile.Write(Path.Combine(directory, "batches.safetensors"), batches.SelectMany((b, i) => Tensors(b, $"{i}.")));
        File.WriteAllBytes(Path.Combine(directory, "case.json"), JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                model.Config,
                Options = options,
                Batches = batches.Length,
                FixedCg = !model.Config.TrainCg,
                SequenceSlots = SequenceSlots.Count,
                UsedSlots = model.Schema.Slots,
                Fields = model.Schema.FieldSizes.Count,
                Shows = model.Schema.Shows.Count,
                Scenarios = model.Schema.Scenarios.Count,
                FeatureSchema.FirstShowRow,
                FeatureSchema.MaskRow,
            },
            new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
                Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() },
            }));
    }

    /// <summary>
    /// Losses and gradient norm of each batch without dropout, with a step after each: what the peer must find too. The
    /// weights stay as after it.
    /// </summary>
    public object Check()
    {
        model.Network.eval();
        return new { Steps = batches.Select((b, i) => Step(b, new Random(i))).ToArray() };
    }

    /// <summary>Trains on every batch.</summary>
    public object Round()
    {
        model.Network.train();
        var measured = Measured.Of(() => Array.ForEach(batches, b => Step(b, random)));
        return new { Samples = batches.Sum(b => b.Length), measured.Seconds, measured.CpuSeconds, Measured.PeakMiB };
    }

    private float[] Step(int[] instances, Random masking)
    {
        using var scope = NewDisposeScope();
        var (encoded, batch) = Lay(instances);
        var loss = HybridLoss.Of(model.Network, batch, encoded, [.. instances.Select(i => samples.Targets[i])], options, masking);
        optimizer.zero_grad();
        loss.Total.backward();
        var norm = nn.utils.clip_grad_norm_(parameters, options.GradientClip);
        optimizer.step();
        return [loss.Total.item<float>(), loss.Match.item<float>(), loss.Mlm.item<float>(), loss.Disagreement.item<float>(), (float)norm];
    }

    private EncodedBatch Collect(int[] instances)
    {
        var encoded = new EncodedBatch();
        Array.ForEach(instances, i => encoded.AppendFrom(samples.Users, i));
        return encoded;
    }

    private (EncodedBatch Encoded, BatchTensors Batch) Lay(int[] instances)
    {
        var encoded = Collect(instances);
        int[] users = [.. Enumerable.Range(0, instances.Length)];
        int[] scenarios = [.. instances.Select(i => samples.Scenarios[i])];
        return (encoded, BatchTensors.From(encoded, users, scenarios, model.Schema.Scenarios.Count, device));
    }

    private IEnumerable<TensorData> Tensors(int[] instances, string prefix)
    {
        var (encoded, batch) = Lay(instances);
        TensorData Ints(string name, IEnumerable<int> values)
        {
            int[] all = [.. values];
            return TensorData.Of<int>(prefix + name, all, all.Length);
        }

        var targets = instances.Select(i => samples.Targets[i]).ToArray();
        yield return Ints("sequence_starts", encoded.SequenceStarts);
        yield return Ints("shows", encoded.Shows);
        yield return Ints("subsidiaries", encoded.Subsidiaries);
        yield return Ints("fields", encoded.Fields);
        yield return Ints("field_starts", encoded.FieldStarts);
        yield return Ints("tag_starts", encoded.TagStarts);
        yield return Ints("tags", encoded.Tags);
        yield return TensorData.Of<float>(prefix + "tag_weights", CollectionsMarshal.AsSpan(encoded.TagWeights), encoded.TagWeights.Count);
        yield return Ints("last_watch", encoded.LastWatch);
        yield return Ints("watched_starts", encoded.WatchedStarts);
        yield return Ints("watched", encoded.Watched);
        yield return Ints("scenarios", instances.Select(i => samples.Scenarios[i]));
        yield return Ints("target_starts", targets.Aggregate(new List<int> { 0 }, (starts, t) => [.. starts, starts[^1] + t.Length]));
        yield return Ints("targets", targets.SelectMany(t => t));
        yield return Ints("masked", Masked(encoded, batch, Array.IndexOf(batches, instances)));
    }

    /// <summary>The behaviours that the check masks: 1, else 0.</summary>
    private int[] Masked(EncodedBatch encoded, BatchTensors batch, int seed)
    {
        using var scope = NewDisposeScope();
        var isMasked = new HashSet<long>(
            MaskedShows.Of(batch, options.MaskRate, new Random(seed), CPU)?.Positions.data<long>().ToArray() ?? []);
        var masked = new int[encoded.Behaviours];
        for (var sequence = 0; sequence + 1 < encoded.SequenceStarts.Count; sequence++)
        {
            var (from, to) = (encoded.SequenceStarts[sequence], encoded.SequenceStarts[sequence + 1]);
            for (var i = from; i < to; i++)
            {
                masked[i] = isMasked.Contains(batch.Layout.FirstToken[sequence] + i - from) ? 1 : 0;
            }
        }

        return masked;
    }
}
