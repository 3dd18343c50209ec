using Google.Protobuf;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Worker.Tests.State;

/// <summary>Training and serving cannot drift: the same events become the same tensors on either way.</summary>
public sealed class TrainingServingTests : IDisposable
{
    private const int Users = 12;

    private readonly string directory = Directory.CreateTempSubdirectory("nearline-drift-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Events_of_the_topic_become_the_tensors_that_the_model_was_trained_on(bool json)
    {
        // The way of training: a data set written and read, folded and encoded by the sampler.
        DatasetFiles.Write(World(), directory);
        var dataset = DatasetFiles.Read(directory);
        var config = M5Config.Small with { Name = "tiny", Width = 8, HeadWidth = 8, TagWidth = 4, ScenarioWidth = 4, Hidden = 8, ExpertWidth = 4, MaxLength = 4 };
        var bundle = M5Bundle.WriteUntrained(dataset, config, Path.Combine(directory, "models"));
        using var retriever = M5Retriever.Load(bundle, "cpu");
        using var scope = NewDisposeScope();
        var compared = 0;
        foreach (var log in dataset.Users)
        {
            var sampler = new TrainingSampler(
                dataset with { Users = [log] },
                new FeatureEncoder(FeatureSchema.Build(dataset, config.MaxLength)),
                TrainingOptions.Paper);
            var trained = sampler.Epoch(new Random(1)).SingleOrDefault()?.Users ?? new EncodedBatch();
            var served = Serve(log, retriever.Encoder, json);
            Assert.Equal(trained.Count, served.Count);
            if (trained.Count > 0)
            {
                AssertEqual(Tensors(trained, dataset), Tensors(served, dataset));
                compared += trained.Count;
            }
        }

        Assert.True(compared > 3 * Users, $"{compared} instances; too few to tell");
    }

    /// <summary>
    /// The way of serving: each event a record of the topic, decoded, folded into a user that is stored and read again
    /// after each, and encoded from what was read, just before each watch that training learns from.
    /// </summary>
    private static EncodedBatch Serve(UserLog log, FeatureEncoder encoder, bool json)
    {
        var decoder = new EventDecoder(new FixedClock(Records.Now), TimeSpan.FromMinutes(5));
        var targets = UnfamiliarWatches.Of(log).ToHashSet();
        var batch = new EncodedBatch();
        var user = StoredUser.New(log.User.Id, 16);
        for (var i = 0; i < log.Actions.Count; i++)
        {
            if (targets.Contains(i))
            {
                encoder.Append(user.History, user.History.LastEventTime!.Value, batch);
            }

            var record = new UserEventRecord(log.User.Id, log.Actions[i], $"e{i}", (ulong)i, "t", 3, i);
            var message = Lives.ToMessage(record);
            var consumed = json
                ? Records.Record(DatasetFiles.EventLine(log.User.Id, log.Actions[i]), log.User.Id, [("content-type", "application/json"), ("ce_id", $"e{i}"), ("ce_source", "life")], i)
                : Records.Record(message.ToByteArray(), log.User.Id, null, i);
            Assert.Equal(FoldOutcome.Applied, user.Fold(decoder.Decode(consumed)));
            user = UserStateMapper.FromBytes(log.User.Id, UserStateMapper.ToMessage(user, Records.Now).ToByteArray(), 16);
        }

        return batch;
    }

    private static List<(string Name, double[] Values)> Tensors(EncodedBatch encoded, Dataset dataset)
    {
        int[] users = [.. Enumerable.Range(0, encoded.Count)];
        var batch = BatchTensors.From(encoded, users, new int[users.Length], dataset.Scenarios.Count, CPU);
        double[] Doubles(Tensor tensor) => tensor.to(ScalarType.Float64).data<double>().ToArray();
        return
        [
            ("shows", Doubles(batch.Shows)),
            ("subsidiaries", Doubles(batch.Subsidiaries)),
            ("sequences", Doubles(batch.SlotRows)),
            ("last watch", Doubles(batch.LastWatch)),
            ("fields", Doubles(batch.Fields)),
            ("field starts", Doubles(batch.FieldStarts)),
            ("tags", Doubles(batch.Tags)),
            ("tag starts", Doubles(batch.TagStarts)),
            ("tag weights", Doubles(batch.TagWeights)),
            .. users.Select(u => ($"watched of {u}", encoded.WatchedOf(u).ToArray().Order().Select(row => (double)row).ToArray())),
        ];
    }

    private static void AssertEqual(List<(string Name, double[] Values)> trained, List<(string Name, double[] Values)> served) =>
        Assert.All(trained.Zip(served), pair =>
        {
            Assert.Equal(pair.First.Name, pair.Second.Name);
            Assert.Equal(pair.First.Values, pair.Second.Values);
        });

    /// <summary>Lives as logs, in the order of their times, over a catalog of all categories.</summary>
    private static Dataset World() => new(
        [
            .. Enumerable.Range(0, 3).Select(i => new Show($"series-{i}", i < 2 ? ShowCategory.Series : ShowCategory.Live) { Tags = [$"t{i}", "both"] }),
            .. Enumerable.Range(0, 4).Select(i => new Show($"film-{i}", ShowCategory.Movie) { Tags = [$"t{i % 2}", "both"] }),
        ],
        [new Scenario("home"), new Scenario("s0"), new Scenario("s1")],
        [
            .. Enumerable.Range(0, Users).Select(u => new UserLog(
                new UserProfile($"u{u}"),
                [.. Lives.Distinct(Lives.Log(new Random(u), $"u{u}", 70)).Select(e => e.Action).OrderBy(a => a.Time).Where(IsNews())])),
        ]);

    /// <summary>Whether a user that was deleted did something after it, as data sets and topic tell it alike.</summary>
    private static Func<UserAction, bool> IsNews()
    {
        DateTimeOffset? deleted = null;
        return action =>
        {
            var isNews = !(action.Time <= deleted);
            deleted = action.Kind == ActionKind.DeleteUser && isNews ? action.Time : deleted;
            return isNews;
        };
    }
}
