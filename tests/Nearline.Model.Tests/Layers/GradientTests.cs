using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Layers;

/// <summary>Gradients against finite differences: of the layers that <see cref="LayerTests"/> has none of, and of whole models.</summary>
[Collection(TorchTests.Name)]
public sealed class GradientTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Embeddings_of_shows_subsidiary_features_fields_tags_and_scenarios()
    {
        var (batch, _, schema) = Tensors.Batch(4);
        using var layer = new MultiModalEmbedding(schema, TinyWorld.Config, null).to(ScalarType.Float64);
        Tensors.Randomize(layer, 1);
        var mains = layer.Id(batch.Shows).detach();
        Tensor Weigh(Tensor output, int seed) => (output * Tensors.Random(seed, output.shape)).sum();
        Tensor Scalar()
        {
            var decoration = layer.Subsidiary(batch.Subsidiaries)!;
            return Weigh(layer.Id(batch.Shows), 2)
                + Weigh(layer.Cg(batch.Shows), 3)
                + Weigh(decoration.Sums(), 4)
                + Weigh(decoration.Products(mains), 5)
                + Weigh(decoration.Linear(Tensors.Random(6, 3, Subsidiaries.Count * TinyWorld.Config.Width)), 7)
                + Weigh(layer.Fields(batch.Fields, batch.FieldStarts), 8)
                + Weigh(layer.Tags(batch.Tags, batch.TagStarts, batch.TagWeights), 9)
                + Weigh(layer.Scenario(batch.Pairs.Scenarios)!, 10)
                + Weigh(layer.ItemIds(), 11)
                + Weigh(layer.ItemCgs(), 12);
        }

        var tables = Leaves(layer);
        Assert.Equal(["cg", "fields", "id", "scenario", "subsidiary", "tags"], tables.Select(t => t.Name.Split('.')[0]).Order());
        Tensors.CheckGradients(Scalar, tables, places: 60);
    }

    [Fact]
    public void A_multi_hot_field_is_the_mean_of_its_values()
    {
        var (_, _, schema) = Tensors.Batch(1);
        using var layer = new MultiModalEmbedding(schema, TinyWorld.Config, null).to(ScalarType.Float64);
        Tensors.Randomize(layer, 1);
        var count = schema.FieldSizes.Count;

        // Of two users the first has rows 1 and 3 in the first field, the rest have one row a field.
        long[] rows = [1, 3, .. Enumerable.Range(4, (2 * count) - 1).Select(i => (long)i)];
        long[] starts = [0, .. Enumerable.Range(2, (2 * count) - 1).Select(i => (long)i)];
        Tensor Embedded() => layer.Fields(tensor(rows), tensor(starts));
        var table = layer.named_parameters().Single(p => p.name == "fields.weight").parameter;
        Assert.Equal([2L, count, TinyWorld.Config.FieldWidth], Embedded().shape);
        Assert.Equal(Tensors.Doubles((table[1] + table[3]) / 2), Tensors.Doubles(Embedded()[0][0]));
        Assert.Equal(Tensors.Doubles(table[4]), Tensors.Doubles(Embedded()[0][1]));
        Assert.Equal(Tensors.Doubles(table[rows[^1]]), Tensors.Doubles(Embedded()[1][count - 1]));
        var weights = Tensors.Random(2, Embedded().shape);
        Tensors.CheckGradients(() => (Embedded() * weights).sum(), [("fields.weight", table)], places: 40);
    }

    [Fact]
    public void Embeddings_of_raw_metadata()
    {
        var shows = TinyWorld.Create(1).Shows;
        using var layer = new MetadataEmbedding(RawMetadata.Of(shows), shows.Count, 10).to(ScalarType.Float64);
        Tensors.Randomize(layer, 1);
        var weights = Tensors.Random(2, shows.Count, 10);
        Tensors.CheckGradients(() => (layer.Items() * weights).sum(), Leaves(layer), places: 40);
    }

    [Fact]
    public void Encoder_of_all_layers_with_all_tokens_and_with_some_wanted()
    {
        var (batch, _, _) = Tensors.Batch(4);
        using var layer = new SelfAttentionEncoder(TinyWorld.Config with { Width = 6, HeadWidth = 3 }).to(ScalarType.Float64);
        var tokens = Tensors.Random(2, batch.Layout.Tokens, 6).requires_grad_();
        foreach (var wanted in new[] { null, tensor(new long[] { 5, 0, 2 }) })
        {
            Tensors.Randomize(layer, 1);
            var weights = Tensors.Random(3, wanted is null ? batch.Layout.Tokens : 3, 6);
            (string, Tensor)[] leaves = [.. Leaves(layer), ("tokens", tokens)];
            Array.ForEach(leaves, leaf => leaf.Item2.grad?.zero_());
            Tensors.CheckGradients(() => (layer.Forward(tokens, batch, wanted) * weights).sum(), leaves, 1e-5);
        }
    }

    [Fact]
    public void Plain_mixing()
    {
        using var layer = new PlainMixing(5, 3, TinyWorld.Config).to(ScalarType.Float64);
        Tensors.Randomize(layer, 1);
        var features = Tensors.Random(2, 4, 5).requires_grad_();
        var weights = Tensors.Random(3, 4, 3);
        var pairs = ScenarioPairs.Of([0, 1, 2, 3], [0, 1, 0, 1], 4, 2, CPU);
        Tensors.CheckGradients(() => (layer.Forward(features, pairs).Users * weights).sum(), [.. Leaves(layer), ("features", features)]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Crossing_with_and_without_an_indicator(bool hasIndicator)
    {
        int[] widths = [4, 3];
        using var layer = new ScenarioCrossing(widths, hasIndicator ? 4 : 0).to(ScalarType.Float64);
        var fields = widths.Select((w, i) => (Name: $"field {i}", Leaf: Tensors.Random(i, 3, w).requires_grad_())).ToArray();
        var scenario = hasIndicator ? Tensors.Random(7, 4, 4).requires_grad_() : null;
        var pairs = ScenarioPairs.Of([2, 0, 0, 1], [1, 0, 1, 1], 3, 2, CPU);
        var weights = Tensors.Random(8, 4, layer.OutputWidth);
        Tensors.CheckGradients(
            () => (layer.Forward([.. fields.Select(f => f.Leaf)], scenario, pairs) * weights).sum(),
            [.. Leaves(layer), .. fields, .. scenario is null ? Array.Empty<(string, Tensor)>() : [("scenario", scenario)]]);
    }

    [Fact]
    public void The_softmax_over_the_catalog()
    {
        var query = Tensors.Random(1, 3, 4).requires_grad_();
        var items = Tensors.Random(2, 6, 4).requires_grad_();
        Tensors.CheckGradients(
            () => SoftmaxLoss.Of(query, items, new SoftmaxWeighting([1, 8], 0), new SoftmaxTargets([0, 9, 11, 16], [1f, 0.5f, 0.25f, 2f])),
            [("query", query), ("items", items)]);
    }

    public static TheoryData<string> Variants => [.. M5Variants.Names];

    /// <summary>Masked logits, dynamic weighting, residuals and all else, put together as they train.</summary>
    [Theory]
    [MemberData(nameof(Variants))]
    public void The_hybrid_loss_of_each_variant_to_every_parameter(string name)
    {
        var variant = M5Variants.ByName(name);
        var config = variant.Of(TinyWorld.Config with { Width = 8, HeadWidth = 4, Hidden = 6, ExpertWidth = 5, Layers = 1 });
        var dataset = TinyWorld.Create(12);
        var schema = TrainedModel.SchemaOf(dataset, config);
        var encoded = new FeatureEncoder(schema).Encode(
            [.. dataset.Users.Take(4).Select((u, i) => (TinyWorld.HistoryOf(u, 2 + (i * 2)), u.Actions[^1].Time))]);
        var batch = BatchTensors.From(encoded, [0, 1, 2, 3], [0, 1, 1, 0], 2, CPU);
        var targets = Enumerable.Range(0, 4)
            .Select(u => Enumerable.Range(0, schema.Shows.Count).Where(i => !encoded.WatchedOf(u).Contains(i)).Skip(5 * u).Take(2).ToArray())
            .ToArray();
        using var model = new M5Model(schema, config, null);
        model.to(ScalarType.Float64);
        Tensors.Randomize(model, 3, 0.4);
        var options = variant.Of(TrainingOptions.Paper) with { FutureTargets = 2, MaskRate = 0.4 };
        Tensor Scalar() => HybridLoss.Of(model, batch, encoded, targets, options, new Random(9)).Total;

        Tensors.CheckGradients(Scalar, Leaves(model), 1e-5, places: 2);
        var learning = model.named_parameters().Where(p => p.parameter.grad is { } g && g.abs().sum().item<double>() > 0).Select(p => p.name).ToHashSet();
        Assert.All(model.named_parameters().Select(p => p.name), parameter => Assert.Contains(parameter, learning));
    }

    private static (string Name, Tensor Leaf)[] Leaves(nn.Module module) =>
        [.. module.named_parameters().Select(p => (p.name, (Tensor)p.parameter))];
}
