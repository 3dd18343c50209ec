using System.Runtime.InteropServices;
using System.Text.Json;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Features;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using static TorchSharp.torch;

namespace Nearline.Bench.Tower;

/// <summary>Our side of the tower benchmark: users at the end of the simulated world, each for all scenarios.</summary>
internal sealed class TowerSide : IDisposable
{
    private const int Seed = 1;

    private readonly TrainedModel model;
    private readonly M5Retriever retriever;
    private readonly (UserHistory History, DateTimeOffset Now)[] users;
    private readonly EncodedBatch all;

    public TowerSide(string preset, int shows, int userCount, int threads, ServingPrecision precision, string device)
    {
        TorchThreads.Use(threads);
        var dataset = SimulatedWorld.Generate(new SimulationOptions { Shows = shows, Users = userCount });
        model = TrainedModel.Fresh(dataset, M5Config.ByName(preset), null, Seed, dataset.Fingerprint(), CPU);
        Stir();
        // As the worker has it: out of a bundle, weights fixed.
        using var models = new TemporaryFolder();
        retriever = M5Retriever.Load(
            M5Bundle.Write(model, models.Path), device, threads, new BackendOptions { Backend = IndexBackends.ExactCpu }, precision);
        users = [.. dataset.Users.Select(log => (Fold(log), log.Actions.Count > 0 ? log.Actions[^1].Time : DateTimeOffset.UnixEpoch))];
        all = retriever.Encoder.Encode(users);
    }

    public void Dispose()
    {
        retriever.Dispose();
        model.Dispose();
    }

    /// <summary>The users in figures.</summary>
    public object Describe()
    {
        var lengths = all.SequenceStarts.Zip(all.SequenceStarts.Skip(1), (from, to) => to - from).Where(l => l > 0).ToArray();
        return new
        {
            Users = users.Length,
            Scenarios = retriever.Scenarios.Count,
            all.Behaviours,
            Sequences = lengths.Length,
            MeanLength = lengths.Average(),
            Longest = lengths.Max(),
        };
    }

    /// <summary>Writes shape, weights, encoded users, and the queries that the peer must find too.</summary>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        using var scope = NewDisposeScope();
        SafeTensorsFile.Write(
            Path.Combine(directory, "weights.safetensors"),
            model.Network.named_parameters().Select(p => TensorData.Of<float>(p.name, p.parameter.detach().data<float>().ToArray(), p.parameter.shape)));
        TensorData Ints(string name, List<int> values) => TensorData.Of<int>(name, CollectionsMarshal.AsSpan(values), values.Count);
        var queries = Queries(all);
        SafeTensorsFile.Write(
            Path.Combine(directory, "users.safetensors"),
            [
                Ints("sequence_starts", all.SequenceStarts),
                Ints("shows", all.Shows),
                Ints("subsidiaries", all.Subsidiaries),
                Ints("fields", all.Fields),
                Ints("field_starts", all.FieldStarts),
                Ints("tag_starts", all.TagStarts),
                Ints("tags", all.Tags),
                TensorData.Of<float>("tag_weights", CollectionsMarshal.AsSpan(all.TagWeights), all.TagWeights.Count),
                Ints("last_watch", all.LastWatch),
                TensorData.Of<float>("queries", queries, queries.Length / model.Config.QueryWidth, model.Config.QueryWidth),
            ]);
        File.WriteAllBytes(Path.Combine(directory, "case.json"), JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                model.Config,
                Threads = get_num_threads(),
                Users = users.Length,
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

    /// <summary>All users once, from encoded features: layout, tensors, tower.</summary>
    public object Encoded(int batch)
    {
        EncodedBatch[] batches = [.. Enumerable.Range(0, users.Length).Chunk(batch).Select(Collect)];
        return Timed(() => Array.ForEach(batches, b => Queries(b)));
    }

    /// <summary>All users once, from what the worker has of them.</summary>
    public object Histories(int batch)
    {
        var encoded = new EncodedBatch();
        return Timed(() =>
        {
            for (var from = 0; from < users.Length; from += batch)
            {
                encoded.Clear();
                foreach (var (history, now) in users.AsSpan(from, Math.Min(batch, users.Length - from)))
                {
                    retriever.Encoder.Append(history, now, encoded);
                }

                Queries(encoded);
            }
        });
    }

    private object Timed(Action work)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var measured = Measured.Of(work);
        return new
        {
            Users = users.Length,
            measured.Seconds,
            measured.CpuSeconds,
            AllocatedPerUser = (GC.GetAllocatedBytesForCurrentThread() - allocated) / users.Length,
        };
    }

    private static UserHistory Fold(UserLog log)
    {
        var history = UserHistories.Start(log.User);
        foreach (var action in log.Actions)
        {
            history.Apply(action);
        }

        return history;
    }

    private EncodedBatch Collect(int[] chosen)
    {
        var batch = new EncodedBatch();
        Array.ForEach(chosen, u => batch.AppendFrom(all, u));
        return batch;
    }

    private float[] Queries(EncodedBatch batch)
    {
        var scenarios = retriever.Scenarios.Count;
        var (pairUsers, pairScenarios) = (new int[batch.Count * scenarios], new int[batch.Count * scenarios]);
        for (var p = 0; p < pairUsers.Length; p++)
        {
            (pairUsers[p], pairScenarios[p]) = (p / scenarios, p % scenarios);
        }

        return retriever.Queries(batch, pairUsers, pairScenarios);
    }

    /// <summary>So that what starts at zero takes part in the comparison.</summary>
    private void Stir()
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        random.manual_seed(Seed);
        foreach (var parameter in model.Network.parameters())
        {
            parameter.add_(randn_like(parameter) * 0.02);
        }
    }
}
