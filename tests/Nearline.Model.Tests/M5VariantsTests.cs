using System.Text.Json;
using System.Text.Json.Nodes;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests;

[Collection(TorchTests.Name)]
public sealed class M5VariantsTests : IDisposable
{
    private static readonly Dataset World = Described(TinyWorld.Create(40));

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly List<M5Model> models = [];

    public static TheoryData<string> Names => [.. M5Variants.Names];

    public void Dispose()
    {
        models.ForEach(m => m.Dispose());
        scope.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_learns_and_its_bundle_serves_what_it_serves_in_memory(string name)
    {
        using var directory = new TempDirectory();
        var variant = M5Variants.ByName(name);
        var training = variant.Of(TrainingOptions.Small) with
        {
            Epochs = 4,
            BatchSize = 32,
            LearningRate = 0.005,
            FutureTargets = 2,
            WeightAverage = 0,
            EvaluateEvery = 4,
            Threads = 1,
            Device = "cpu",
        };
        var tensors = new List<long>();
        using var model = Trainer.Train(
            Splits.LeaveOneOut(World), variant.Of(TinyWorld.Config), training, new Inline(_ => tensors.Add(LiveTensors.Count())));
        Assert.Single(tensors.Skip(1).Distinct());
        Assert.True(
            model.Epochs[^1].Match < model.Epochs[0].Match - 0.05, $"{model.Epochs[0].Match} to {model.Epochs[^1].Match}");

        var bundle = M5Bundle.Write(model, directory.Path);
        Assert.Equal(name, bundle.Manifest.Hyperparameters.GetProperty("config").GetProperty("variant").GetString());
        using var loaded = M5Retriever.Load(bundle.Path, "cpu");
        using var memory = model.CreateRetriever();
        List<RetrievalRequest> requests =
            [.. World.Users.Select(u => new RetrievalRequest(u.User.Id, TinyWorld.HistoryOf(u), u.Actions[^1].Time))];
        var served = loaded.Retrieve(requests, 20).Users;
        Alike.Check(memory.Retrieve(requests, 20).Users, served);
        if (model.Config.Channels != ModelChannels.IdAndCg)
        {
            Assert.All(served.SelectMany(u => u).SelectMany(s => s.Shows), s => Assert.Equal(s.Score, s.IdScore, 1e-4));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Fixing_the_weights_changes_no_query(string name)
    {
        var (model, schema) = Model(name);
        model.to(ScalarType.Float64);
        var encoded = Encode(schema);
        var expected = Tensors.Doubles(model.Forward(Batch(model, encoded)).Query());

        // Some users in one scenario only, scenarios not in order, as live traffic has it.
        int[] views = [0, 0, 1, 3, 3, 5];
        int[] scenarios = [1, 0, 1, 0, 1, 0];
        model.Freeze(ScalarType.Float64);
        using var inference = inference_mode();
        var all = Tensors.Doubles(model.Forward(Batch(model, encoded)).Query());
        Assert.All(expected.Zip(all), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        var some = Tensors.Doubles(model.Forward(BatchTensors.From(encoded, views, scenarios, 2, CPU)).Query());
        var width = model.Config.QueryWidth;
        for (var p = 0; p < views.Length; p++)
        {
            var cell = (views[p] * 2) + scenarios[p];
            Assert.All(
                expected[(cell * width)..((cell + 1) * width)].Zip(some[(p * width)..((p + 1) * width)]),
                pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_user_alone_gets_the_query_of_the_batch_and_in_bfloat16_nearly_so(string name)
    {
        var (model, schema) = Model(name);
        var encoder = new FeatureEncoder(schema);
        var expected = Tensors.Doubles(model.Forward(Batch(model, Encode(schema))).Query());
        var perUser = expected.Length / World.Users.Count;
        void Check(ScalarType precision, double tolerance)
        {
            (model, _) = Model(name);
            model.Freeze(precision);
            using var inference = inference_mode();
            for (var u = 0; u < 8; u++)
            {
                var alone = encoder.Encode([(TinyWorld.HistoryOf(World.Users[u]), TinyWorld.Start.AddDays(30))]);
                var query = Tensors.Doubles(model.Forward(Batch(model, alone)).Query());
                var own = expected[(u * perUser)..((u + 1) * perUser)];
                var largest = own.Max(Math.Abs);
                Assert.All(own.Zip(query), pair => Assert.Equal(pair.First, pair.Second, tolerance * largest));
            }
        }

        Check(ScalarType.Float32, 1e-4);
        Check(ScalarType.BFloat16, 0.05);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_index_finds_equation_6_or_the_one_channels_product(string name)
    {
        var (model, schema) = Model(name);
        var output = model.Forward(Batch(model, Encode(schema)));
        var (query, items) = (Tensors.Doubles(output.Query()), Tensors.Doubles(model.Items()));
        var (u, d, n) = (Tensors.Doubles(output.UserId), model.Config.Width, schema.Shows.Count);
        var width = model.Config.QueryWidth;
        Assert.Equal((2 * World.Users.Count * width, n * width), (query.Length, items.Length));
        for (var p = 0; p < 2 * World.Users.Count; p += 7)
        {
            for (var i = 0; i < n; i += 5)
            {
                double Part(double[] user, int from) => Enumerable.Range(0, d).Sum(c => user[(p * d) + c] * items[(i * width) + from + c]);
                var expected = Part(u, 0);
                if (output.UserCg is { } cg)
                {
                    var w = Tensors.Doubles(output.Weight!)[p];
                    expected = (w * expected) + ((1 - w) * Part(Tensors.Doubles(cg), d));
                }

                Assert.Equal(expected, Enumerable.Range(0, width).Sum(c => query[(p * width) + c] * items[(i * width) + c]), 1e-5);
            }
        }
    }

    // Parts by the first letters of their parameters' names.
    [Theory]
    [InlineData("m5", "attention idIntensity cgIntensity embedding.cg embedding.scenario weighting", "cgAttention unifiedItems embedding.metadata idExperts.mlp idExperts.last")]
    [InlineData("wo-mm", "attention idIntensity embedding.id idExperts", "cg embedding.cg embedding.metadata weighting")]
    [InlineData("wo-mi", "embedding.cg idExperts.post weighting", "attention cgAttention idIntensity cgIntensity embedding.subsidiary")]
    [InlineData("wo-ms", "attention idExperts.mlp cgExperts.mlp", "embedding.scenario idExperts.post cgExperts.gate idCrossing cgCrossing")]
    [InlineData("raw-metadata", "embedding.metadata cgIntensity weighting", "embedding.cg")]
    [InlineData("single-channel", "embedding.cg cgIntensity unifiedItems idExperts", "cgExperts cgCrossing weighting")]
    [InlineData("wo-cate-sub", "attention idIntensity cgIntensity", "embedding.subsidiary")]
    [InlineData("sin", "idIntensity cgIntensity", "attention cgAttention")]
    [InlineData("sa", "attention cgAttention", "idIntensity cgIntensity")]
    [InlineData("sa-sin", "attention cgAttention idIntensity cgIntensity", "unifiedItems")]
    [InlineData("wo-idx", "idExperts.post cgExperts.gate weighting", "embedding.scenario idCrossing cgCrossing")]
    [InlineData("cgc", "embedding.scenario idExperts.last.ownExperts cgExperts.last.sharedExperts", "idExperts.lower idExperts.experts")]
    [InlineData("ple", "idExperts.lower.0.sharedGate cgExperts.lower.0.ownExperts idExperts.last", "idExperts.lower.1 idExperts.last.sharedGate")]
    public void It_has_the_parts_that_it_needs_and_no_others(string name, string present, string absent)
    {
        var (model, _) = Model(name);
        string[] parameters = [.. model.named_parameters().Select(p => p.name)];
        Assert.All(present.Split(' '), part => Assert.Contains(parameters, p => p.StartsWith(part, StringComparison.Ordinal)));
        Assert.All(absent.Split(' '), part => Assert.DoesNotContain(parameters, p => p.StartsWith(part, StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_multiple_scenarios_scores_do_not_depend_on_the_scenario()
    {
        Assert.True(ScenariosDiffer("m5"));
        Assert.True(ScenariosDiffer("wo-idx"));
        Assert.False(ScenariosDiffer("wo-ms"));

        // With one tower for all, only the indicator tells scenarios apart.
        Assert.True(ScenariosDiffer("m5", sameTowers: true));
        Assert.False(ScenariosDiffer("wo-idx", sameTowers: true));
    }

    [Theory]
    [InlineData("m5", true)]
    [InlineData("sa", true)]
    [InlineData("sin", true)]
    [InlineData("wo-cate-sub", false)]
    [InlineData("wo-mi", false)]
    public void Categories_and_subsidiary_features_count_only_where_they_are_used(string name, bool count)
    {
        var (model, schema) = Model(name);
        var original = Tensors.Doubles(model.Forward(Batch(model, Encode(schema))).Query());
        var rotated = Encode(schema with
        {
            Shows = [.. schema.Shows.Select(s => s with { Category = (ShowCategory)(1 + ((int)s.Category % 3)) })],
        });
        AssertSame(!count, original, Tensors.Doubles(model.Forward(Batch(model, rotated)).Query()));

        var redecorated = Encode(schema);
        var random = new Random(3);
        var rows = Subsidiaries.Rows(schema.MaxLength);
        for (var i = 0; i < redecorated.Subsidiaries.Count; i++)
        {
            redecorated.Subsidiaries[i] = random.Next(1, rows);
        }

        AssertSame(!count, original, Tensors.Doubles(model.Forward(Batch(model, redecorated)).Query()));
    }

    [Fact]
    public void Without_multiple_interests_the_interests_are_plain_sums()
    {
        var (model, schema) = Model("wo-mi", c => c with { LastWatch = false });
        var encoded = Encode(schema);
        var batch = Batch(model, encoded);
        var table = Tensors.Doubles(model.get_parameter("embedding.id.weight")!);
        var hidden = Tensors.Doubles(model.Forward(batch).Hidden);
        var d = model.Config.Width;
        Assert.Equal(batch.ShowRows.SelectMany(r => table[((int)r * d)..(((int)r + 1) * d)]), hidden);
        Assert.False(model.HasMaskedTask);

        // All that a user watched is in one sequence, oldest first whatever the category.
        for (var user = 0; user < encoded.Count; user++)
        {
            int Length(SequenceSlot slot) =>
                encoded.SequenceStarts[(user * 6) + (int)slot + 1] - encoded.SequenceStarts[(user * 6) + (int)slot];
            Assert.Equal(0, Length(SequenceSlot.WatchedMovies) + Length(SequenceSlot.WatchedLive));
            Assert.Equal(7, Length(SequenceSlot.WatchedSeries));
            Assert.Equal(encoded.SequenceStarts[(user * 6) + 1] - 1, encoded.LastWatch[user]);
        }
    }

    [Fact]
    public void Raw_metadata_is_the_weighted_sum_of_what_a_show_is_told_to_be()
    {
        var (model, schema) = Model("raw-metadata");
        Assert.Equal(["tag", "cast", "release", "text"], schema.Metadata!.Select(f => f.Name));
        var d = model.Config.Width;
        var (items, share) = (Tensors.Doubles(model.Items()), d / 4);
        for (var i = 0; i < schema.Shows.Count; i++)
        {
            for (var f = 0; f < 4; f++)
            {
                var field = schema.Metadata![f];
                var table = Tensors.Doubles(model.get_parameter($"embedding.metadata.tables.{f}.weight")!);
                var values = Enumerable.Range(field.Starts[i], field.Starts[i + 1] - field.Starts[i]).ToList();
                Assert.Equal(values.Count == 0 ? 0 : 1, values.Sum(v => field.Weights[v] * field.Weights[v]), 1e-5);
                for (var c = 0; c < share; c++)
                {
                    var expected = values.Sum(v => field.Weights[v] * table[(field.Rows[v] * share) + c]);
                    Assert.Equal(expected, items[(i * 2 * d) + d + (f * share) + c], 1e-5);
                }
            }
        }

        // Its values: the tags that two shows have.
        var tags = schema.Metadata![0];
        Assert.Equal(World.Shows.SelectMany(s => s.Tags).GroupBy(t => t).Count(g => g.Count() > 1), tags.Size);
        Assert.All(World.Shows, (s, i) => Assert.Equal(s.Tags.Count, tags.Starts[i + 1] - tags.Starts[i]));

        // A field without values takes no width.
        var untold = TinyWorld.Create(1);
        var narrower = TrainedModel.SchemaOf(untold, model.Config);
        Assert.Equal(["tag", "cast", "release"], narrower.Metadata!.Select(f => f.Name));
        using var other = new M5Model(narrower, model.Config, null);
        Assert.Equal([untold.Shows.Count, 2L * d], other.Items().shape);

        var nothing = Assert.Throws<ArgumentException>(() => new M5Model(schema with { Metadata = [] }, model.Config, null));
        Assert.Contains("metadata: empty", nothing.Message, StringComparison.Ordinal);

        var error = Assert.Throws<ArgumentException>(() => (tags with { Size = 1 }).Validate(schema.Shows.Count));
        Assert.Contains("metadata 'tag', Rows: must be from 0 to below 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_channels_items_are_an_MLP_of_both_embeddings()
    {
        var (model, schema) = Model("single-channel");
        var (items, d) = (Tensors.Doubles(model.Items()), model.Config.Width);
        var p = Plain.Numbers(model);
        for (var i = 0; i < schema.Shows.Count; i += 9)
        {
            var row = i + FeatureSchema.FirstShowRow;
            double[] both = [.. p["embedding.id.weight"][(row * d)..((row + 1) * d)], .. p["embedding.cg.weight"][(row * d)..((row + 1) * d)]];
            var expected = Plain.SwishMlp(p, "unifiedItems", both);
            Assert.All(expected, (value, c) => Assert.Equal(value, items[(i * d) + c], 1e-5));
        }
    }

    [Fact]
    public void Only_one_of_them_trains_without_disagreement_and_all_fit_both_presets()
    {
        foreach (var preset in M5Config.Presets.Select(p => p.Name))
        {
            foreach (var variant in M5Variants.All)
            {
                var config = variant.Of(M5Config.ByName(preset));
                config.Validate();
                Assert.Equal((preset, variant.Name), (config.Name, config.Variant));
                Assert.Equal(variant.Name == "wo-dis" ? 0 : 0.1, variant.Of(TrainingOptions.ByName(preset)).Beta);
            }

            Assert.Equal(M5Config.ByName(preset), M5Variants.ByName("m5").Of(M5Config.ByName(preset)));
        }

        var error = Assert.Throws<ArgumentException>(() => M5Variants.ByName("wo-everything"));
        Assert.Contains("'wo-everything' is none; there are m5, wo-mm, wo-mi", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wo-mm", "channels", "IdAndCg", "Variant: 'wo-mm'; the other options are not that variant's")]
    [InlineData("m5", "channels", "Both", "manifest.json")]
    [InlineData("m5", "mixing", 7, "Mixing: 7; must be one of SplitExperts, Mlp, CustomizedGates")]
    [InlineData("m5", "variant", "m6", "variant: 'm6' is none")]
    [InlineData("m5", "categorize", false, "categorize: expected False as the manifest says, found True")]
    [InlineData("m5", "cg_source", "RawMetadata", "metadata: missing")]
    [InlineData("m5", "channels", "Id", "the model of the manifest's hyper-parameters has none of that name")]
    public void A_bundle_that_claims_another_shape_than_it_has_is_refused(string name, string option, object value, string message)
    {
        using var directory = new TempDirectory();
        var good = Untrained(name, directory);
        var options = JsonNode.Parse(good.Manifest.Hyperparameters.GetRawText())!;
        options["config"]![option] = JsonValue.Create(value);
        var error = Assert.Throws<BundleException>(() => M5Retriever.Load(Rewritten(good, options, directory), "cpu"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bundle_from_before_there_were_variants_is_m5()
    {
        using var directory = new TempDirectory();
        var good = Untrained("m5", directory);
        var options = JsonNode.Parse(good.Manifest.Hyperparameters.GetRawText())!;
        foreach (var option in new[]
        {
            "variant", "channels", "cg_source", "id_interests", "cg_interests", "categorize", "decorate", "scenario_indicator", "mixing",
            "mixing_levels", "scenario_experts",
        })
        {
            Assert.True(options["config"]!.AsObject().Remove(option), option);
        }

        using var loaded = M5Retriever.Load(Rewritten(good, options, directory), "cpu");
        Assert.Equal(["everything", "on-demand"], loaded.Scenarios);
    }

    private sealed class Inline(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private static Dataset Described(Dataset world) => world with
    {
        Shows = [.. world.Shows.Select((s, i) => s with { Description = i % 2 == 0 ? "a tale of nights" : "daylight" })],
    };

    private static BundleDirectory Untrained(string name, TempDirectory directory) =>
        M5Bundle.WriteUntrained(World, M5Variants.ByName(name).Of(TinyWorld.Config), directory.Path);

    /// <summary>The same bundle with other hyper-parameters.</summary>
    private static BundleDirectory Rewritten(BundleDirectory good, JsonNode hyperparameters, TempDirectory directory)
    {
        using var writer = new BundleWriter(directory.Path, "rewritten");
        foreach (var file in good.Manifest.Files.Keys)
        {
            File.Copy(good.PathOf(file), writer.PathOf(file));
        }

        return writer.Commit(good.Manifest with
        {
            Version = "rewritten",
            Hyperparameters = JsonSerializer.SerializeToElement(hyperparameters),
        });
    }

    private static EncodedBatch Encode(FeatureSchema schema) => new FeatureEncoder(schema).Encode(
        [.. World.Users.Select(u => (TinyWorld.HistoryOf(u), TinyWorld.Start.AddDays(30)))]);

    /// <summary>Every user in both scenarios.</summary>
    private static BatchTensors Batch(M5Model model, EncodedBatch encoded)
    {
        int[] pairs = [.. Enumerable.Range(0, 2 * encoded.Count)];
        return BatchTensors.From(encoded, [.. pairs.Select(p => p / 2)], [.. pairs.Select(p => p % 2)], 2, model.Device);
    }

    private static void AssertSame(bool same, double[] expected, double[] actual)
    {
        var farthest = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(same ? farthest < 1e-4 : farthest > 1e-2, $"{farthest} apart");
    }

    private bool ScenariosDiffer(string name, bool sameTowers = false)
    {
        var (model, schema) = Model(name);
        if (sameTowers)
        {
            using var _ = no_grad();
            var parameters = model.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
            foreach (var (parameter, tower) in parameters.Where(p => p.Key.Contains("Experts.post.1", StringComparison.Ordinal)))
            {
                tower.copy_(parameters[parameter.Replace("post.1", "post.0", StringComparison.Ordinal)]);
            }
        }

        var query = Tensors.Doubles(model.Forward(Batch(model, Encode(schema))).Query());
        return query.Chunk(2 * model.Config.QueryWidth)
            .Any(q => q.Take(q.Length / 2).Zip(q.Skip(q.Length / 2), (a, b) => Math.Abs(a - b)).Max() > 1e-5);
    }

    private (M5Model Model, FeatureSchema Schema) Model(string name, Func<M5Config, M5Config>? change = null)
    {
        var config = M5Variants.ByName(name).Of((change ?? (c => c))(TinyWorld.Config));
        var schema = TrainedModel.SchemaOf(World, config);
        var model = new M5Model(schema, config, null);
        Tensors.Randomize(model, 5, 0.3);
        model.eval();
        models.Add(model);
        return (model, schema);
    }
}
