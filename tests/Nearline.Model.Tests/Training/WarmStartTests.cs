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

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class WarmStartTests : IDisposable
{
    private readonly TempDirectory directory = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string> Variants => [.. M5Variants.Names];

    public void Dispose()
    {
        scope.Dispose();
        directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_axis_of_every_variant_is_told_in_full(string variant)
    {
        var config = M5Variants.ByName(variant).Of(TinyWorld.Config);
        var schema = TrainedModel.SchemaOf(Larger(), config);
        using var model = new M5Model(schema, config, null);
        var meanings = new ParameterMeanings(schema, config, schema);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, parameter) in model.named_parameters())
        {
            var meaning = meanings.Of(name);
            Assert.True(names.Add(meaning.Name), $"{name}: {meaning.Name} twice");
            Assert.True(meaning.Rows is null || meaning.Rows.Count == parameter.shape[0], $"{name}: rows");
            Assert.True(meaning.Columns is null || meaning.Columns.Count == parameter.shape[1], $"{name}: columns");
            Assert.Equal(meaning.Rows?.Count, meaning.Rows?.Distinct(StringComparer.Ordinal).Count());
            Assert.Equal(meaning.Columns?.Count, meaning.Columns?.Distinct(StringComparer.Ordinal).Count());
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_model_of_a_larger_catalog_ranks_what_the_old_one_knew_as_the_old_one_did(string variant)
    {
        var config = M5Variants.ByName(variant).Of(TinyWorld.Config);
        var (small, large) = (Smaller(), Larger());
        using var old = TrainedModel.Fresh(small, config, null, 1, "", CPU);
        Tensors.Randomize(old.Network, 5, 0.4);
        var bundle = M5Bundle.Write(old, directory.Path);

        // The same tags weigh otherwise in another catalog; here they shall not, so that scores can be compared.
        var idf = old.Schema.Tags.ToDictionary(t => t.Value, t => t.Idf, StringComparer.Ordinal);
        var schema = TrainedModel.SchemaOf(large, config);
        schema = schema with { Tags = [.. schema.Tags.Select(t => t with { Idf = idf.GetValueOrDefault(t.Value, t.Idf) })] };
        manual_seed(9);
        using var model = new M5Model(schema, config, null);
        Tensors.Randomize(model, 6, 0.4);
        var report = WarmStart.Of(bundle).Apply(model, schema);
        Assert.Equal((small.Shows.Count, large.Shows.Count - small.Shows.Count), (report.KnownShows, report.NewShows));

        // Of the layers that are afresh, all belong to what is new. Raw metadata of other shows has other values in part.
        Assert.All(report.Afresh, name => Assert.True(
            name.Contains("brand-new", StringComparison.Ordinal) || name.Contains("attribute plan", StringComparison.Ordinal), name));
        // PLE's shared gate weighs every scenario's experts, those of the new one too.
        if (variant is "raw-metadata" or "ple")
        {
            return;
        }

        var (before, now) = (Scores(old.Network, old.Schema, small), Scores(model, schema, small));
        var places = old.Schema.Shows.Select(s => schema.Shows.ToList().FindIndex(n => n.Id == s.Id)).ToArray();
        Assert.Equal(before.Count, now.Count);
        foreach (var (was, isNow) in before.Zip(now))
        {
            for (var i = 0; i < was.Length; i++)
            {
                Assert.Equal(was[i], isNow[places[i]], 1e-4);
            }
        }
    }

    [Fact]
    public void Rows_follow_names_and_new_shows_begin_in_the_middle_of_nothing()
    {
        var (small, large) = (Smaller(), Larger());
        using var old = TrainedModel.Fresh(small, TinyWorld.Config, null, 1, "", CPU);
        using var random = no_grad();
        var bundle = M5Bundle.Write(old, directory.Path);
        using var model = TrainedModel.Fresh(large, TinyWorld.Config, null, 2, "", CPU);
        using var untouched = TrainedModel.Fresh(large, TinyWorld.Config, null, 2, "", CPU);
        var report = WarmStart.Of(bundle).Apply(model.Network, model.Schema);
        Assert.Contains($"{small.Shows.Count} shows known, {large.Shows.Count - small.Shows.Count} new", report.ToString(), StringComparison.Ordinal);

        var (was, now, fresh) = (Rows(old, "embedding.id.weight"), Rows(model, "embedding.id.weight"), Rows(untouched, "embedding.id.weight"));
        Assert.Equal(was.Take(FeatureSchema.FirstShowRow), now.Take(FeatureSchema.FirstShowRow));
        var places = old.Schema.Shows.Select((s, i) => (s.Id, i)).ToDictionary(p => p.Id, p => p.i, StringComparer.Ordinal);
        for (var i = 0; i < model.Schema.Shows.Count; i++)
        {
            var row = FeatureSchema.FirstShowRow + i;
            var isKnown = places.TryGetValue(model.Schema.Shows[i].Id, out var place);
            Assert.Equal(was[isKnown ? FeatureSchema.FirstShowRow + place : FeatureSchema.UnknownShowRow], now[row]);
            Assert.NotEqual(fresh[row], now[row]);
        }

        // Scenarios and devices in another order keep theirs; what is new has what it was drawn.
        var (scenariosWere, scenarios) = (Rows(old, "embedding.scenario.weight"), Rows(model, "embedding.scenario.weight"));
        for (var i = 0; i < model.Schema.Scenarios.Count; i++)
        {
            var place = old.Schema.Scenarios.ToList().IndexOf(model.Schema.Scenarios[i]);
            Assert.Equal(place >= 0 ? scenariosWere[place] : Rows(untouched, "embedding.scenario.weight")[i], scenarios[i]);
        }

        var (tagsWere, tags) = (Rows(old, "embedding.tags.weight"), Rows(model, "embedding.tags.weight"));
        Assert.Equal(
            tagsWere[old.Schema.Tags.ToList().FindIndex(t => t.Value == "genre-2")],
            tags[model.Schema.Tags.ToList().FindIndex(t => t.Value == "genre-2")]);
    }

    [Fact]
    public void Content_of_new_shows_comes_to_lie_beside_that_of_known_shows_like_them()
    {
        using var old = TrainedModel.Fresh(Smaller(), TinyWorld.Config, null, 1, "", CPU);
        using var model = TrainedModel.Fresh(Larger(), TinyWorld.Config, null, 2, "", CPU);
        using var gradient = no_grad();

        // As training might: all content turned and stretched.
        var table = old.Network.named_parameters().Single(p => p.name == "embedding.cg.weight").parameter;
        table.copy_(table.matmul(Tensors.Random(3, 16, 16).to(ScalarType.Float32)));
        WarmStart.Of(M5Bundle.Write(old, directory.Path)).Apply(model.Network, model.Schema);
        using var unmapped = TrainedModel.Fresh(Larger(), TinyWorld.Config, null, 2, "", CPU);
        var known = old.Schema.Shows.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(8, LikeTheirGenre(Rows(model, "embedding.cg.weight")));
        Assert.InRange(LikeTheirGenre(Rows(unmapped, "embedding.cg.weight")), 0, 6);

        // How many of the new shows are more like the known shows of their genre than like the others.
        int LikeTheirGenre(string[] table)
        {
            var carried = Rows(model, "embedding.cg.weight");
            var shows = Larger().Shows.Select((s, i) => (Show: s, Row: FeatureSchema.FirstShowRow + i)).ToLookup(s => known.Contains(s.Show.Id));
            return shows[false].Count(s =>
                shows[true].Where(k => k.Show.Tags[0] == s.Show.Tags[0]).Average(k => Cosine(carried[k.Row], table[s.Row])) >
                shows[true].Where(k => k.Show.Tags[0] != s.Show.Tags[0]).Average(k => Cosine(carried[k.Row], table[s.Row])));
        }
    }

    [Fact]
    public void Training_needs_fewer_epochs_than_from_nothing()
    {
        var options = TrainingOptions.Small with
        {
            Epochs = 12,
            BatchSize = 32,
            LearningRate = 0.01,
            FutureTargets = 1,
            WeightAverage = 0,
            EvaluateEvery = 1,
            Patience = 0,
            Threads = 1,
            Device = "cpu",
        };
        using var old = Trainer.Train(Splits.LeaveOneOut(Smaller()), TinyWorld.Config, options);
        var bundle = M5Bundle.Write(old, directory.Path);
        var split = Splits.LeaveOneOut(Larger());
        using var cold = Trainer.Train(split, TinyWorld.Config, options);
        WarmStartReport? told = null;
        using var warm = Trainer.Train(
            split, TinyWorld.Config, options, new TrainingStart { From = WarmStart.Of(bundle), Started = r => told = r });
        Assert.Equal(bundle.Version, told?.Version);
        var wanted = 0.8 * cold.Epochs.Max(e => e.Validation!.Ndcg10);
        int Needed(TrainedModel model) => model.Epochs.First(e => e.Validation!.Ndcg10 >= wanted).Epoch;
        Assert.True(Needed(warm) * 2 <= Needed(cold), $"{Needed(warm)} epochs warm, {Needed(cold)} cold");
    }

    [Fact]
    public void Layers_of_another_shape_begin_afresh_by_name_and_a_bundle_of_which_nothing_fits_is_refused()
    {
        var world = Smaller();
        using var old = TrainedModel.Fresh(world, TinyWorld.Config, null, 1, "", CPU);
        var bundle = M5Bundle.Write(old, directory.Path);
        var config = TinyWorld.Config with { Hidden = 20, LastWatch = false };
        using var model = TrainedModel.Fresh(world, config, null, 2, "", CPU);
        var report = WarmStart.Of(bundle).Apply(model.Network, model.Schema);
        Assert.Contains("idExperts.experts.0.first.weight", report.Afresh);
        Assert.Contains("idExperts.experts.0.first.weight", report.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("idExperts.post.everything.second.bias", report.Afresh);
        Assert.DoesNotContain("embedding.id.weight", report.Afresh);
        Assert.DoesNotContain(report.Afresh, n => n.StartsWith("idCrossing", StringComparison.Ordinal));
    }

    private static IReadOnlyList<double[]> Scores(M5Model model, FeatureSchema schema, Dataset users)
    {
        using var gradient = no_grad();
        model.eval();
        var encoded = new FeatureEncoder(schema).Encode(
            [.. users.Users.Take(8).Select((u, i) => (TinyWorld.HistoryOf(u, 1 + (i * 2)), u.Actions[^1].Time))]);
        var scores = new List<double[]>();
        foreach (var scenario in new[] { "everything", "on-demand" })
        {
            var pairs = Enumerable.Range(0, 8).ToArray();
            var row = schema.Scenarios.ToList().IndexOf(scenario);
            var batch = BatchTensors.From(encoded, pairs, [.. pairs.Select(_ => row)], schema.Scenarios.Count, CPU);
            var all = model.Forward(batch).Query().matmul(model.Items().t());
            scores.AddRange(pairs.Select(p => Tensors.Doubles(all[p])));
        }

        return scores;
    }

    private static string[] Rows(TrainedModel model, string name)
    {
        var weight = model.Network.named_parameters().Single(p => p.name == name).parameter.detach();
        var (values, width) = (weight.data<float>().ToArray(), (int)weight.shape[1]);
        return [.. Enumerable.Range(0, (int)weight.shape[0]).Select(r => string.Join(' ', values.Skip(r * width).Take(width)))];
    }

    private static double Cosine(string a, string b)
    {
        static double[] Read(string row) => [.. row.Split(' ').Select(v => double.Parse(v, System.Globalization.CultureInfo.CurrentCulture))];
        var (x, y) = (Read(a), Read(b));
        double Dot(double[] p, double[] q) => p.Zip(q, (u, v) => u * v).Sum();
        return Dot(x, y) / Math.Sqrt(Dot(x, x) * Dot(y, y));
    }

    /// <summary>The world of some time ago: without every sixth show.</summary>
    private static Dataset Smaller()
    {
        var world = TinyWorld.Create(90);
        var kept = world.Shows.Where((_, i) => i % 6 != 5).ToList();
        var ids = kept.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        return world with
        {
            Shows = kept,
            Users = [.. world.Users.Select(u => u with { Actions = [.. u.Actions.Where(a => a.ShowId is null || ids.Contains(a.ShowId))] })],
        };
    }

    /// <summary>The world of today: more shows in another order, a new scenario first, a new attribute and a new device.</summary>
    private static Dataset Larger()
    {
        var world = TinyWorld.Create(90);
        return world with
        {
            Shows = [.. world.Shows.Reverse()],
            Scenarios = [new Scenario("brand-new"), .. world.Scenarios.Reverse()],
            Users =
            [
                .. world.Users.Select((u, i) => new UserLog(
                    u.User with { Attributes = new Dictionary<string, string>(u.User.Attributes) { ["plan"] = i % 2 == 0 ? "basic" : "gold" } },
                    [.. u.Actions.Select((a, k) => k == 0 && i % 2 == 0 && a.Kind == ActionKind.Login ? a with { Device = "car" } : a)])),
            ],
        };
    }
}
