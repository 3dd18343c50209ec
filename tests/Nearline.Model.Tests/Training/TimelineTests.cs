using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class TimelineTests : IDisposable
{
    private const int MaxLength = 4;

    private static readonly TrainingOptions Options = TrainingOptions.Small with
    {
        AllPositions = true,
        WindowLength = 1000,
        FutureTargets = 1,
        BatchSize = 64,
    };

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    /// <summary>The oracle: what serving encodes of the history as it was just before each instance.</summary>
    [Fact]
    public void A_view_sees_the_behaviours_and_features_that_serving_would_have_seen_then()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var dataset = TinyWorld.Create(2) with { Users = [Log("a", seed), Log("b", seed + 100)] };
            var encoder = new FeatureEncoder(FeatureSchema.Build(dataset, MaxLength));
            var part = new TrainingSampler(dataset, encoder, Options).Epoch(new Random(1)).Single();
            var expected = new List<string>();
            foreach (var log in dataset.Users)
            {
                foreach (var instance in UnfamiliarWatches.Of(log))
                {
                    var history = TinyWorld.HistoryOf(log, instance);
                    var served = encoder.Encode([(history, history.LastEventTime!.Value)]);
                    expected.Add(Describe(served, 0, 0, byView: false));
                }
            }

            var users = part.Users;
            var views = Enumerable.Range(0, users.Users).SelectMany(u =>
                Enumerable.Range(users.ViewStarts[u], users.ViewStarts[u + 1] - users.ViewStarts[u]).Select(v => Describe(users, u, v, byView: true)));
            Assert.Equal(expected.Order(StringComparer.Ordinal), views.Order(StringComparer.Ordinal));
        }
    }

    /// <summary>Where no show is engaged in twice and nothing passes the longest sequence, one pass is exactly many.</summary>
    [Fact]
    public void One_pass_over_a_log_yields_the_queries_that_a_pass_for_each_instance_yields()
    {
        var shows = TinyWorld.Create(1).Shows;
        var logs = Enumerable.Range(0, 3).Select(u => new UserLog(
            new UserProfile($"u{u}"),
            [
                .. shows.Skip(u * 5).Take(4 + (3 * u)).Select((s, i) => new UserAction(
                    i % 4 == 3 ? ActionKind.Save : ActionKind.Watch, TinyWorld.Start.AddMinutes((i * i * 7) + u))
                {
                    ShowId = s.Id,
                    Played = TimeSpan.FromMinutes(3 + (10 * i)),
                    Length = TimeSpan.FromMinutes(100),
                }),
            ])).ToList();
        var dataset = TinyWorld.Create(1) with { Users = logs };
        var config = Config with { MaxLength = 20 };
        var schema = FeatureSchema.Build(dataset, config.MaxLength);
        using var model = Random(schema, config);
        var encoder = new FeatureEncoder(schema);
        var part = new TrainingSampler(dataset, encoder, Options).Epoch(new Random(1)).Single();
        var together = Queries(model, part.Users, part.Scenarios);

        var (instance, width) = (0, config.QueryWidth);
        var targets = part.Targets.Select(t => t[0]).ToList();
        foreach (var log in logs)
        {
            foreach (var at in UnfamiliarWatches.Of(log))
            {
                var history = TinyWorld.HistoryOf(log, at);
                var view = targets.IndexOf(encoder.RowOf(log.Actions[at].ShowId!));
                view = part.Users.ViewTimes.FindIndex(view, t => t == history.LastEventTime!.Value.UtcTicks);
                var alone = Queries(model, encoder.Encode([(history, history.LastEventTime!.Value)]), [part.Scenarios[view]]);
                Assert.Equal(alone, together[(view * width)..((view + 1) * width)], (a, b) => Math.Abs(a - b) < 1e-4);
                instance++;
            }
        }

        Assert.Equal(part.Count, instance);
    }

    /// <summary>Behaviours that were engaged in anew or taken back are there for nobody later; nor are those too far back.</summary>
    [Fact]
    public void A_behaviour_sees_those_before_it_that_still_stand()
    {
        var dataset = TinyWorld.Create(1) with { Users = [Log("a", 3), Log("b", 4)] };
        var encoder = new FeatureEncoder(FeatureSchema.Build(dataset, MaxLength));
        var users = new TrainingSampler(dataset, encoder, Options).Epoch(new Random(1)).Single().Users;
        int[] lengths = [.. users.SequenceStarts.Zip(users.SequenceStarts.Skip(1), (from, to) => to - from)];
        var layout = SequenceLayout.Of(lengths);
        var groups = GroupVisibility.Of(users, layout, MaxLength, CPU);
        var (gone, far) = (0, 0);
        for (var s = 0; s < lengths.Length; s++)
        {
            var row = layout.RowOfSequence[s];
            var g = 0;
            for (; row >= 0 && row >= layout.Groups[g].Count; g++)
            {
                row -= layout.Groups[g].Count;
            }

            for (var k = 0; k < lengths[s]; k++)
            {
                for (var j = 0; j < lengths[s]; j++)
                {
                    var (from, token) = (users.SequenceStarts[s] + k, users.SequenceStarts[s] + j);
                    var stands = users.Until[token] > users.From[from];
                    gone += j < k && !stands ? 1 : 0;
                    far += k - j >= MaxLength ? 1 : 0;
                    var sees = j <= k && stands && k - j < MaxLength;
                    Assert.Equal(sees, groups[g].Attention[row, 0, k, j].item<float>() == 0);
                }
            }
        }

        Assert.True(gone > 0 && far > 0, "the logs have both");
    }

    [Fact]
    public void What_comes_later_changes_no_earlier_view()
    {
        var log = Log("a", 5);
        var dataset = TinyWorld.Create(1) with { Users = [log] };
        var schema = FeatureSchema.Build(dataset, MaxLength);
        using var model = Random(schema, Config with { MaxLength = MaxLength });
        float[] QueriesOf(UserLog of)
        {
            var part = new TrainingSampler(dataset with { Users = [of] }, new FeatureEncoder(schema), Options).Epoch(new Random(1)).Single();
            return Queries(model, part.Users, [.. part.Scenarios.Select(_ => 0)]);
        }

        var all = QueriesOf(log);
        var half = QueriesOf(log with { Actions = [.. log.Actions.Take(log.Actions.Count / 2)] });
        Assert.True(half.Length > 0 && half.Length < all.Length);
        Assert.Equal(half, all[..half.Length], (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Gradients_through_views_attention_bias_and_recency_agree_with_finite_differences()
    {
        var dataset = TinyWorld.Create(1) with { Users = [Log("a", 3), Log("b", 4)] };
        const int Width = 4;
        var schema = FeatureSchema.Build(dataset, MaxLength);
        var part = new TrainingSampler(dataset, new FeatureEncoder(schema), Options).Epoch(new Random(1)).Single();
        var batch = BatchTensors.From(
            part.Users, [.. Enumerable.Range(0, part.Count)], [.. part.Scenarios], schema.Scenarios.Count, CPU, MaxLength);
        using var encoder = new SelfAttentionEncoder(Config with { Layers = 1, Width = Width, HeadWidth = 2, FeedForward = 1 }).to(ScalarType.Float64);
        using var recency = new RecencyIntensity(MaxLength).to(ScalarType.Float64);
        Tensors.Randomize(encoder, 4, 0.5);
        Tensors.Randomize(recency, 5, 0.5);
        var tokens = Tensors.Random(6, batch.Layout.Tokens, Width).requires_grad_();
        var logits = Tensors.Random(7, batch.Layout.Tokens).requires_grad_();
        foreach (var normalize in new[] { false, true })
        {
            var weights = Tensors.Random(9, batch.Views, SequenceSlots.Count, Width);
            (string Name, Tensor Leaf)[] leaves =
            [
                .. encoder.named_parameters().Concat(recency.named_parameters()).Select(p => (p.name, (Tensor)p.parameter)),
                ("tokens", tokens), ("logits", logits),
            ];
            Tensors.CheckGradients(
                () => (InterestPooling.Pool(encoder.Forward(tokens, batch), logits, recency, batch, normalize) * weights).sum(), leaves, 1e-4);
            Array.ForEach(leaves, l => l.Leaf.grad?.zero_());
        }
    }

    [Fact]
    public void Windows_cover_a_run_of_a_long_log_and_never_predict_from_nothing()
    {
        var shows = TinyWorld.Create(1).Shows;
        var log = new UserLog(
            new UserProfile("u"),
            [.. shows.Select((s, i) => new UserAction(ActionKind.Watch, TinyWorld.Start.AddMinutes(i)) { ShowId = s.Id })]);
        var dataset = TinyWorld.Create(1) with { Users = [log] };
        var encoder = new FeatureEncoder(FeatureSchema.Build(dataset, 20));
        var sampler = new TrainingSampler(dataset, encoder, Options with { WindowLength = 10 });
        var random = new Random(5);
        var seen = new HashSet<int>();
        for (var epoch = 0; epoch < 60; epoch++)
        {
            var part = sampler.Epoch(random).Single();
            Assert.Equal(10, part.Count);
            Assert.All(part.Users.LastWatch, last => Assert.True(last >= 0));
            int[] targets = [.. part.Targets.Select(t => t[0])];
            Assert.Equal(Enumerable.Range(targets[0], 10), targets);
            seen.UnionWith(targets);
        }

        Assert.Equal(shows.Count - 1, seen.Count);
    }

    [Fact]
    public void Ties_come_in_random_order_and_all_else_stays()
    {
        var shows = TinyWorld.Create(1).Shows;
        var log = new UserLog(
            new UserProfile("u"),
            [.. shows.Take(12).Select((s, i) => new UserAction(ActionKind.Watch, TinyWorld.Start.AddMinutes(i / 4)) { ShowId = s.Id })]);
        var dataset = TinyWorld.Create(1) with { Users = [log] };
        var encoder = new FeatureEncoder(FeatureSchema.Build(dataset, 20));
        var sampler = new TrainingSampler(dataset, encoder, Options with { ShuffleTies = true });
        var random = new Random(5);
        var orders = new HashSet<string>();
        for (var epoch = 0; epoch < 20; epoch++)
        {
            int[] targets = [.. sampler.Epoch(random).Single().Targets.Select(t => t[0])];
            Assert.Equal(11, targets.Length);
            Assert.Equal([4, 5, 6, 7], targets[3..7].Order());
            Assert.Equal([8, 9, 10, 11], targets[7..].Order());
            orders.Add(string.Join(' ', targets));
        }

        Assert.True(orders.Count > 15);
    }

    [Fact]
    public void It_learns_a_world_and_the_bundle_serves_it_alike()
    {
        var split = Nearline.Model.Evaluation.Splits.LeaveOneOut(TinyWorld.Create(80));
        using var model = Trainer.Train(split, Config, Options with { Epochs = 12, LearningRate = 0.01, ShuffleTies = true, Device = "cpu" });
        Assert.True(model.Epochs.Max(e => e.Validation?.Hr20) > 0.8, string.Join(' ', model.Epochs.Select(e => e.Validation?.Hr20)));
        using var directory = new TempDirectory();
        var bundle = Nearline.Model.Serving.M5Bundle.Write(model, directory.Path);
        using var memory = model.CreateRetriever();
        using var loaded = Nearline.Model.Serving.M5Retriever.Load(Path.Combine(directory.Path, bundle.Version), "cpu");
        var requests = split.Dataset.Users.Take(9).Select(u =>
            new Nearline.Model.Serving.RetrievalRequest(u.User.Id, TinyWorld.HistoryOf(u), u.Actions[^1].Time)).ToList();
        Alike.Check(memory.Retrieve(requests, 10).Users, loaded.Retrieve(requests, 10).Users);
    }

    [Fact]
    public void A_model_that_looks_both_ways_is_refused()
    {
        var split = Nearline.Model.Evaluation.Splits.LeaveOneOut(TinyWorld.Create(10));
        var error = Assert.Throws<ArgumentException>(() => Trainer.Train(split, TinyWorld.Config, Options));
        Assert.Contains("Causal", error.Message, StringComparison.Ordinal);
    }

    private static M5Config Config => TinyWorld.Config with { Causal = true, LastWatch = true, MeanPooling = true };

    private static M5Model Random(FeatureSchema schema, M5Config config)
    {
        var model = new M5Model(schema, config, null);
        Tensors.Randomize(model, 5, 0.3);
        model.eval();
        return model;
    }

    private static float[] Queries(M5Model model, EncodedBatch users, IReadOnlyList<int> scenarios)
    {
        using var inner = NewDisposeScope();
        using var _ = no_grad();
        var batch = BatchTensors.From(users, [.. Enumerable.Range(0, users.Count)], [.. scenarios], 2, CPU, model.Config.LookBack);
        return model.Forward(batch).Query().data<float>().ToArray();
    }

    /// <summary>A log with shows taken up again, taken back, and a user who is deleted.</summary>
    private static UserLog Log(string id, int seed)
    {
        var random = new Random(seed);
        var actions = new List<UserAction>();
        for (var i = 0; i < 40; i++)
        {
            var kind = random.Next(12) switch
            {
                < 6 => ActionKind.Watch,
                6 => ActionKind.Save,
                7 => ActionKind.Unsave,
                8 => ActionKind.Like,
                9 => ActionKind.Dislike,
                10 => ActionKind.Login,
                _ => i == 25 && seed % 3 == 0 ? ActionKind.DeleteUser : ActionKind.Impression,
            };
            actions.Add(new UserAction(kind, TinyWorld.Start.AddMinutes(3 * i))
            {
                ShowId = kind is ActionKind.Login or ActionKind.DeleteUser ? null : $"show-{random.Next(14)}",
                EpisodeId = kind == ActionKind.Watch ? $"e{random.Next(4)}" : null,
                Played = kind == ActionKind.Watch ? TimeSpan.FromMinutes(random.Next(1, 60)) : null,
                Length = kind == ActionKind.Watch ? TimeSpan.FromMinutes(60) : null,
                Device = random.Next(2) == 0 ? "tv" : null,
            });
        }

        return new UserLog(new UserProfile(id), actions);
    }

    /// <summary>All that a view tells; of behaviours the subsidiary features as serving computes them at its time.</summary>
    private static string Describe(EncodedBatch batch, int user, int view, bool byView)
    {
        var text = new System.Text.StringBuilder();
        var last = "none";
        for (var slot = 0; slot < SequenceSlots.Count; slot++)
        {
            var (from, to) = (batch.SequenceStarts[(user * SequenceSlots.Count) + slot], batch.SequenceStarts[(user * SequenceSlots.Count) + slot + 1]);
            int[] seen = [.. Enumerable.Range(from, to - from).Where(j => batch.From[j] < batch.ViewAt[view] && batch.Until[j] >= batch.ViewAt[view])];
            seen = [.. seen.TakeLast(MaxLength)];
            text.Append('|');
            for (var i = 0; i < seen.Length; i++)
            {
                var j = seen[i];
                var timeless = batch.Subsidiaries.Skip(j * Subsidiaries.Count).Take(Subsidiaries.TimelessCount);
                var offsets = Subsidiaries.Offsets(MaxLength);
                int[] others = byView
                    ?
                    [
                        offsets[3] + Buckets.Elapsed(TimeSpan.FromTicks(batch.ViewTimes[view] - batch.Times[j])),
                        offsets[4] + seen.Length - 1 - i,
                    ]
                    : [.. batch.Subsidiaries.Skip((j * Subsidiaries.Count) + 3).Take(2)];
                text.Append($"{batch.Shows[j]}:{string.Join(',', timeless.Concat(others))} ");
                last = batch.LastWatch[view] == j ? $"{slot}/{seen.Length - 1 - i}" : last;
            }
        }

        var fields = (batch.FieldStarts.Count - 1) / batch.Count;
        var tags = Enumerable.Range(batch.TagStarts[view], batch.TagStarts[view + 1] - batch.TagStarts[view]);
        text.Append($"last {last} fields {string.Join(' ', batch.Fields[batch.FieldStarts[view * fields]..batch.FieldStarts[(view + 1) * fields]])}");
        text.Append($" tags {string.Join(' ', tags.Select(t => $"{batch.Tags[t]}:{batch.TagWeights[t]:R}"))}");
        text.Append($" watched {string.Join(' ', batch.WatchedOf(view).ToArray().Order())} now {batch.ViewTimes[view]}");
        return text.ToString();
    }
}
