using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Layers;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Serving;

/// <summary>What users do with shows that came after the model says something of their taste.</summary>
[Collection(TorchTests.Name)]
public sealed class LiveHistoryTests : IDisposable
{
    private const int Late = 10;

    private static readonly Dataset World = TinyWorld.Create(60);

    private readonly TempDirectory models = new();

    public void Dispose() => models.Dispose();

    /// <summary>Oracle: a schema that has the shows, as training would have it, makes the same of the same histories.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Live_shows_are_encoded_as_the_shows_of_the_schema_are(bool categorize)
    {
        var whole = FeatureSchema.Build(World, TinyWorld.Config.MaxLength) with { Categorize = categorize };
        var without = whole with { Shows = [.. whole.Shows.SkipLast(Late)] };
        var late = new FeatureEncoder(without) { Live = new LiveShows(without, [.. World.Shows.TakeLast(Late)]) };
        var users = World.Users.Select(u => (TinyWorld.HistoryOf(u), u.Actions[^1].Time)).ToList();
        var (expected, found) = (new FeatureEncoder(whole).Encode(users), late.Encode(users));
        Assert.Contains(expected.Shows, row => row >= without.ShowRows);
        Assert.Equal(expected.Shows, found.Shows);
        Assert.Equal(expected.SequenceStarts, found.SequenceStarts);
        Assert.Equal(expected.Subsidiaries, found.Subsidiaries);
        Assert.Equal(expected.LastWatch, found.LastWatch);
        Assert.Equal(expected.Tags, found.Tags);
        Assert.Equal(expected.TagWeights, found.TagWeights);
        Assert.Equal(expected.TagStarts, found.TagStarts);
        Assert.Equal(expected.Fields, found.Fields);
        for (var u = 0; u < users.Count; u++)
        {
            // Rows of the index: the side segment is masked by ids.
            Assert.Equal(expected.WatchedOf(u).ToArray().Where(row => row < without.Shows.Count), found.WatchedOf(u).ToArray());
        }
    }

    /// <summary>Oracle: a model whose tables have the same rows computes the same users.</summary>
    [Theory]
    [InlineData("m5", false, false)]
    [InlineData("m5", true, false)]
    [InlineData("m5", true, true)]
    [InlineData("single-channel", true, false)]
    public void Rows_beside_the_table_are_as_good_as_rows_in_it(string variant, bool contentInId, bool causal)
    {
        var config = M5Variants.ByName(variant).Of(TinyWorld.Config with { ContentInId = contentInId, Causal = causal });
        var whole = FeatureSchema.Build(World, config.MaxLength);
        var without = whole with { Shows = [.. whole.Shows.SkipLast(Late)] };
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var all = new M5Model(whole, config, null);
        using var few = new M5Model(without, config, null);
        all.eval();
        few.eval();
        var live = Join(all, few, without.ShowRows);
        var users = World.Users.Take(20).Select(u => (TinyWorld.HistoryOf(u), u.Actions[^1].Time)).ToList();
        var late = new FeatureEncoder(without) { Live = new LiveShows(without, [.. World.Shows.TakeLast(Late)]) };
        Assert.Equal(Query(all, new FeatureEncoder(whole).Encode(users), null), Query(few, late.Encode(users), live));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_live_show_in_a_history_draws_the_set_to_its_like_until_it_is_gone(bool causal)
    {
        using var retriever = Load(causal);
        CatalogChange[] news = [.. Enumerable.Range(0, TinyWorld.Genres).Select(g => new CatalogChange($"new-{g}", Like(g)))];
        var (own, others, before) = (0, 0, new Dictionary<int, string>());
        for (var u = 0; u < World.Users.Count; u++)
        {
            before[u] = Describe(Top(retriever, History(u, null)));
        }

        retriever.Apply(news);
        for (var genre = 0; genre < TinyWorld.Genres; genre++)
        {
            // Of somebody who has done nothing else, it is all that is known.
            Assert.Equal($"genre-{genre}", Genre(Top(retriever, History(null, genre))[0]));
        }

        for (var u = 0; u < World.Users.Count; u++)
        {
            // Two users with equal histories but for a live show.
            var (a, b) = ((u + 1) % TinyWorld.Genres, (u + 2) % TinyWorld.Genres);
            var (withA, withB) = (Top(retriever, History(u, a)), Top(retriever, History(u, b)));
            Assert.NotEqual(Describe(withA), Describe(withB));
            own += withA.Count(s => Genre(s) == $"genre-{a}") + withB.Count(s => Genre(s) == $"genre-{b}");
            others += withA.Count(s => Genre(s) == $"genre-{b}") + withB.Count(s => Genre(s) == $"genre-{a}");

            // Who has none of them is who they were, bit for bit.
            Assert.Equal(before[u], Describe(Top(retriever, History(u, null))));
        }

        Assert.True(own > 3 * others, $"{own} shows like the one watched, {others} like the other");
        retriever.Apply([.. news.Select(n => n with { Show = null })]);
        Assert.Equal(Describe(Top(retriever, History(0, 1))), Describe(Top(retriever, History(0, 2))));
    }

    /// <summary>What co-watching makes of content, a new show's content tells; what it does not, nothing tells.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Id_rows_that_follow_from_content_are_told_by_it(double noise)
    {
        const int count = 400;
        var (width, config) = (TinyWorld.Config.Width, TinyWorld.Config);
        var schema = FeatureSchema.Build(World, config.MaxLength);
        schema = schema with { Shows = [.. Enumerable.Range(0, count).Select(i => schema.Shows[i % schema.Shows.Count] with { Id = $"s{i}" })] };
        using var scope = NewDisposeScope();
        using var gradient = no_grad();
        var cgs = nn.functional.normalize(Tensors.Random(1, count, width).to(ScalarType.Float32), 2, 1);
        using var model = new M5Model(schema, config, cgs.data<float>().ToArray());
        var ids = model.named_parameters().Single(p => p.name == "embedding.id.weight").parameter;
        ids.narrow(0, FeatureSchema.UnknownShowRow, 1).fill_(0.3);
        var truth = Tensors.Random(2, width, width).to(ScalarType.Float32);
        var rows = cgs.matmul(truth) + 0.3;
        ids.narrow(0, FeatureSchema.FirstShowRow, count).copy_(rows + (Tensors.Random(3, count, width).to(ScalarType.Float32) * noise));

        var late = nn.functional.normalize(Tensors.Random(4, 20, width).to(ScalarType.Float32), 2, 1);
        double Error() => Root(model.LiveIds(late, model.IdsByContent()) - (late.matmul(truth) + 0.3)) / Root(late.matmul(truth));
        Assert.InRange(Error(), 0, 0.05);

        // Rows that have nothing to do with content: what is told is close to nothing, [OOV]'s row.
        ids.narrow(0, FeatureSchema.FirstShowRow, count).copy_(Tensors.Random(5, count, width).to(ScalarType.Float32) + 0.3);
        Assert.InRange(Root(model.LiveIds(late, model.IdsByContent()) - 0.3) / Root(Tensors.Random(5, 20, width)), 0, 0.3);

        static double Root(Tensor values) => Math.Sqrt(Tensors.Doubles(values).Average(v => v * v));
    }

    [Fact]
    public void Following_the_catalog_leaves_no_tensors_behind()
    {
        using var retriever = M5Retriever.Load(M5Bundle.WriteUntrained(World, TinyWorld.Config, models.Path), "cpu");
        retriever.Apply([new("new-0", Like(0))]);
        var before = LiveTensors.Count();
        for (var i = 1; i < TinyWorld.Genres; i++)
        {
            retriever.Apply([new($"new-{i}", Like(i))]);
        }

        Assert.Equal(before, LiveTensors.Count());
    }

    private static Show Like(int genre) => new($"new-{genre}", ShowCategory.Movie)
    {
        Title = "Unseen",
        Tags = [$"genre-{genre}"],
        Cast = [$"actor-{genre * TinyWorld.ShowsOfGenre / 4}"],
        ReleaseYear = 2000 + genre,
    };

    private static string Genre(ScoredShow show) => World.Shows.Single(s => s.Id == show.ShowId).Tags[0];

    private static string Describe(IEnumerable<ScoredShow> shows) => string.Join('\n', shows);

    /// <summary>A user's first actions, or nobody's, then a live show of a genre, watched to its end.</summary>
    private static UserHistory History(int? user, int? genre)
    {
        var history = user is { } u ? TinyWorld.HistoryOf(World.Users[u], 4) : new UserHistory();
        if (genre is { } g)
        {
            history.Apply(new UserAction(ActionKind.Watch, TinyWorld.Start.AddDays(20))
            {
                ShowId = $"new-{g}",
                Played = TimeSpan.FromMinutes(40),
                Length = TimeSpan.FromMinutes(50),
            });
        }

        return history;
    }

    /// <summary>The best shows of the model for a history.</summary>
    private static List<ScoredShow> Top(M5Retriever retriever, UserHistory history)
    {
        var sets = retriever.Retrieve([new RetrievalRequest("user", history, TinyWorld.Start.AddDays(20))], 100).Users[0];
        return [.. sets[0].Shows.Where(s => !s.ShowId.StartsWith("new-", StringComparison.Ordinal)).Take(10)];
    }

    private static double[] Query(M5Model model, EncodedBatch users, LiveRows? live)
    {
        using var inference = inference_mode();
        int[] each = [.. Enumerable.Range(0, users.Count)];
        var batch = BatchTensors.From(users, each, new int[each.Length], 2, CPU, model.Config.LookBack, live);
        return Tensors.Doubles(model.Forward(batch).Query());
    }

    /// <summary>Gives both the same weights; the late shows' rows.</summary>
    private static LiveRows Join(M5Model all, M5Model few, int rows)
    {
        using var gradient = no_grad();
        var late = new Dictionary<string, Tensor>();
        var targets = few.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in all.named_parameters())
        {
            var isTable = name is "embedding.id.weight" or "embedding.cg.weight";
            targets[name].copy_(isTable ? parameter.narrow(0, 0, rows) : parameter);
            if (isTable)
            {
                late[name] = parameter.narrow(0, rows, Late).detach();
            }
        }

        return new LiveRows(late["embedding.id.weight"], late["embedding.cg.weight"]);
    }

    /// <summary>A trained model of the one preset or the other, in small.</summary>
    private M5Retriever Load(bool causal)
    {
        var preset = M5Config.SmallCausal;
        using var model = Trainer.Train(
            Splits.LeaveOneOut(World),
            !causal ? TinyWorld.Config : TinyWorld.Config with
            {
                Causal = true,
                MeanPooling = preset.MeanPooling,
                LastWatchStart = preset.LastWatchStart,
                InterestStart = preset.InterestStart,
                PreNorm = preset.PreNorm,
                ContentInId = preset.ContentInId,
                InitScale = preset.InitScale,
            },
            (causal ? TrainingOptions.SmallCausal with { Epochs = 20, WeightAverage = 0.9 } : TrainingOptions.Small with { Epochs = 6 }) with
            {
                LearningRate = 0.01,
                BatchSize = 32,
                Threads = 1,
                Device = "cpu",
            });

        return M5Retriever.Load(M5Bundle.Write(model, models.Path), "cpu");
    }
}
