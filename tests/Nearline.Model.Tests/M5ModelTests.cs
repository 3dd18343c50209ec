using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Features;
using Nearline.Model.Index;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests;

[Collection(TorchTests.Name)]
public sealed class M5ModelTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly List<M5Model> models = [];

    public void Dispose()
    {
        models.ForEach(m => m.Dispose());
        scope.Dispose();
    }

    [Fact]
    public void Searching_concatenated_embeddings_finds_the_top_of_equation_6() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            // Small whole numbers and w = 1/4, so that every product is exact and ties are broken alike.
            var random = new Random(seed);
            var (width, items, limit) = (random.Next(1, 9), random.Next(1, 60), random.Next(1, 20));
            float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-4, 5))];
            var (uId, uCg, eId, eCg) = (Draw(width), Draw(width), Draw(items * width), Draw(items * width));
            var w = random.Next(5) / 4f;
            var expected = Enumerable.Range(0, items)
                .Select(i => (Row: i, Score: (w * Dot(uId, eId, i)) + ((1 - w) * Dot(uCg, eCg, i))))
                .OrderByDescending(x => x.Score).ThenBy(x => x.Row).Take(limit).ToList();

            using var inner = NewDisposeScope();
            var output = new M5Output(
                tensor(uId).view(1, width), tensor(uCg).view(1, width), tensor(new[] { w }).view(1, 1), zeros(1), zeros(1), zeros(1));
            var rows = cat([tensor(eId).view(items, width), tensor(eCg).view(items, width)], 1).data<float>().ToArray();
            var found = new ExactIndex(rows, 2 * width).Search(output.Query().data<float>().ToArray(), limit, [])[0];
            Assert.Equal(expected.Select(e => e.Row), found.Rows);
            Assert.Equal(expected.Select(e => e.Score), found.Scores);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_show_has_a_known_ones_CG_part_and_no_ID_part(bool departures)
    {
        var (_, model) = Model(departures, TinyWorld.Create(20));
        var (rows, fresh) = (model.Items(), model.NewItems(model.ContentRows()));
        var d = model.Config.Width;
        Assert.True(rows.narrow(1, d, d).equal(fresh.narrow(1, d, d)).all().item<bool>());
        Assert.False(rows.narrow(1, 0, d).equal(fresh.narrow(1, 0, d)).any().item<bool>());
        Assert.Equal(0, fresh.narrow(1, 0, d).abs().max().item<float>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_users_embedding_does_not_depend_on_who_else_is_in_the_batch(bool departures)
    {
        var dataset = TinyWorld.Create(40);
        var (schema, model) = Model(departures, dataset);
        var encoder = new FeatureEncoder(schema);
        var users = dataset.Users.Select((u, i) => (TinyWorld.HistoryOf(u, i % 14), TinyWorld.Start.AddDays(30))).ToList();
        var all = Query(model, encoder.Encode(users), users.Count);
        var width = 2 * model.Config.Width;
        for (var u = 0; u < users.Count; u++)
        {
            var alone = Query(model, encoder.Encode([users[u]]), 1);
            for (var c = 0; c < alone.Length; c++)
            {
                Assert.Equal(all[(u * 2 * width) + c], alone[c], 1e-4);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nobody_in_the_batch_having_done_anything_is_no_trouble(bool departures)
    {
        var (schema, model) = Model(departures, TinyWorld.Create(3));
        var encoded = new FeatureEncoder(schema).Encode([(new(), TinyWorld.Start), (new(), TinyWorld.Start)]);
        var query = Query(model, encoded, 2);
        Assert.All(query, q => Assert.True(float.IsFinite(q)));

        // Equal users; matrix products of some libraries round a row by where it is in the batch.
        Assert.All(query[..(query.Length / 2)].Zip(query[(query.Length / 2)..]), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void Scenarios_share_interests_but_not_embeddings()
    {
        var dataset = TinyWorld.Create(8);
        var (schema, model) = Model(true, dataset);
        var encoded = new FeatureEncoder(schema).Encode([(TinyWorld.HistoryOf(dataset.Users[0]), TinyWorld.Start.AddDays(9))]);
        var query = Query(model, encoded, 1);
        Assert.NotEqual(query[..(query.Length / 2)], query[(query.Length / 2)..]);
    }

    [Fact]
    public void The_residual_from_the_interests_adds_a_map_of_their_sum()
    {
        var dataset = TinyWorld.Create(8);
        var config = TinyWorld.Config with { IdInterests = InterestExtraction.Sum, InterestStart = 0.5, Decorate = false };
        var schema = TrainedModel.SchemaOf(dataset, config);
        using var model = new M5Model(schema, config, null);
        Tensors.Randomize(model, 5, 0.3);
        model.eval();
        var encoded = new FeatureEncoder(schema).Encode([(TinyWorld.HistoryOf(dataset.Users[0]), TinyWorld.Start.AddDays(9))]);
        var batch = BatchTensors.From(encoded, [0], [1], 2, CPU);
        using var gradient = no_grad();
        var ids = Tensors.Doubles(model.get_parameter("embedding.id.weight")!);
        var map = Tensors.Doubles(model.get_parameter("idInterestResidual.weight")!);
        var with = Tensors.Doubles(model.Forward(batch).UserId);
        model.get_parameter("idInterestResidual.weight")!.zero_();
        var without = Tensors.Doubles(model.Forward(batch).UserId);
        var d = config.Width;
        for (var c = 0; c < d; c++)
        {
            var expected = batch.ShowRows.Where(row => row != FeatureSchema.PadRow).Sum(row => Enumerable.Range(0, d).Sum(k => map[(c * d) + k] * ids[(row * d) + k]));
            Assert.Equal(expected, with[c] - without[c], 1e-4);
        }
    }

    [Fact]
    public void The_paper_preset_has_the_papers_shape()
    {
        var dataset = TinyWorld.Create(4);
        var schema = FeatureSchema.Build(dataset, M5Config.Paper.MaxLength);
        using var model = new M5Model(schema, M5Config.Paper, null);
        var shapes = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.shape);
        Assert.Equal([schema.ShowRows, 128L], shapes["embedding.id.weight"]);
        Assert.Equal([512L, 128], shapes["attention.layers.2.inner.weight"]);
        Assert.DoesNotContain(shapes.Keys, k => k.StartsWith("attention.layers.3", StringComparison.Ordinal));
        Assert.Equal([1L, (6 * 128) + 5], shapes["idIntensity.layers.0.weight"]);
        Assert.Equal([384L, 384], shapes["cgIntensity.layers.1.weight"]);
        Assert.Equal([1L, 384], shapes["cgIntensity.layers.2.weight"]);
        Assert.Equal(768L, shapes["idExperts.experts.0.first.weight"][0]);
        Assert.Equal(768L, shapes["weighting.mlp.first.weight"][0]);
        Assert.DoesNotContain(shapes.Keys, k => k.Contains("Residual", StringComparison.Ordinal));
    }

    [Fact]
    public void Unfit_shapes_are_refused_by_name()
    {
        var error = Assert.Throws<ArgumentException>(() => (M5Config.Small with { HeadWidth = 48 }).Validate());
        Assert.Contains("HeadWidth: 48", error.Message, StringComparison.Ordinal);
        Assert.Contains("m5-paper, m5-small, m5-causal", Assert.Throws<ArgumentException>(() => M5Config.ByName("m6")).Message, StringComparison.Ordinal);
    }

    private (FeatureSchema Schema, M5Model Model) Model(bool departures, Nearline.Model.Data.Dataset dataset)
    {
        var schema = FeatureSchema.Build(dataset, TinyWorld.Config.MaxLength);
        manual_seed(3);
        var model = new M5Model(schema, TinyWorld.Config with { LastWatch = departures, MeanPooling = departures }, null);
        Tensors.Randomize(model, 5, 0.3);
        model.eval();
        models.Add(model);
        return (schema, model);
    }

    /// <summary>Each user's queries for both scenarios, one after the other.</summary>
    private static float[] Query(M5Model model, EncodedBatch users, int count)
    {
        using var inner = NewDisposeScope();
        using var _ = no_grad();
        int[] pairs = [.. Enumerable.Range(0, 2 * count)];
        var batch = BatchTensors.From(users, [.. pairs.Select(p => p / 2)], [.. pairs.Select(p => p % 2)], 2, CPU);
        return model.Forward(batch).Query().data<float>().ToArray();
    }

    private static float Dot(float[] user, float[] items, int row) =>
        user.Select((u, c) => u * items[(row * user.Length) + c]).Sum();
}
