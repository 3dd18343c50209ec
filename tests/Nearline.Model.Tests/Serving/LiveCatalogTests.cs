using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;

namespace Nearline.Model.Tests.Serving;

[Collection(TorchTests.Name)]
public sealed class LiveCatalogTests : IDisposable
{
    private static readonly Dataset World = TinyWorld.Create(60);

    private readonly TempDirectory models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public void Unseen_shows_reach_those_who_like_what_they_are_like()
    {
        using var retriever = Load(Trained());
        var genres = World.Shows.Count / TinyWorld.ShowsOfGenre;
        CatalogChange[] news = [.. Enumerable.Range(0, genres).Select(g => new CatalogChange($"new-{g}", Like(g, $"new-{g}")))];
        var state = retriever.Apply(news);
        Assert.Equal((genres, 0), (state.Added, state.Removed));
        Assert.Empty(state.Unreachable);

        // A user of TinyWorld watches one genre; of the new shows that genre's should come first for nearly all.
        var right = 0;
        for (var u = 0; u < World.Users.Count; u++)
        {
            var set = Sets(retriever, u)[0].Shows.Select(s => s.ShowId).ToList();
            right += set.First(s => s.StartsWith("new-", StringComparison.Ordinal)) == $"new-{u % genres}" ? 1 : 0;
        }

        Assert.True(right >= 0.9 * World.Users.Count, $"{right} of {World.Users.Count}");
        Assert.True(retriever.Knows("new-0"));
        Assert.Equal(0, retriever.Apply([.. news.Select(n => n with { Show = null })]).Added);
        Assert.False(retriever.Knows("new-0"));
        Assert.All(Sets(retriever, 0), set => Assert.DoesNotContain(set.Shows, s => s.ShowId.StartsWith("new-", StringComparison.Ordinal)));
    }

    [Fact]
    public void New_shows_that_score_low_have_their_places_in_the_order_of_the_scores()
    {
        using var retriever = Load(M5Bundle.WriteUntrained(World, TinyWorld.Config, models.Path));
        retriever.Apply([.. Enumerable.Range(0, 3).Select(i => new CatalogChange($"new-{i}", Like(i, $"new-{i}")))]);
        retriever.NewShowBoost = 0;
        var byScore = Sets(retriever, 2)[0].Shows;
        retriever.NewShowBoost = 1;
        var shows = Sets(retriever, 2)[0].Shows;

        bool IsNew(ScoredShow s) => s.ShowId.StartsWith("new-", StringComparison.Ordinal);
        for (var i = 1; i < shows.Count; i++)
        {
            Assert.True(shows[i - 1].Score >= shows[i].Score, $"the score of place {i}");
        }

        // Of shows like the known ones the best stand among the first half, where no untrained score had brought them.
        int Place(IReadOnlyList<ScoredShow> set) => set.Index().First(s => IsNew(s.Item)).Index;
        Assert.True(Place(shows) < Place(byScore), $"{Place(shows)} instead of {Place(byScore)}");

        // Every show has the CG channel's score that it had; what a place adds is the ID channel's.
        var before = byScore.ToDictionary(s => s.ShowId);
        Assert.Equal(before.Keys.Order(), shows.Select(s => s.ShowId).Order());
        Assert.All(shows, s => Assert.Equal(before[s.ShowId].Score - before[s.ShowId].IdScore, s.Score - s.IdScore, 1e-4));
        Assert.All(shows.Where(s => !IsNew(s)), s => Assert.Equal(before[s.ShowId], s));
        Assert.Throws<ArgumentOutOfRangeException>(() => retriever.NewShowBoost = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => retriever.NewShowBoost = double.PositiveInfinity);
    }

    [Fact]
    public void The_CG_channel_alone_ranks_by_its_part_of_the_score()
    {
        using var retriever = Load(Trained());
        retriever.Apply([new("new", Like(1, "new"))]);
        var request = Request(5) with { IncludeWatched = true };
        IReadOnlyList<ScoredShow> Set() => retriever.Retrieve([request], World.Shows.Count + 1).Users[0][0].Shows;
        retriever.NewShowBoost = 0;
        var parts = Set().ToDictionary(s => s.ShowId, s => s.Score - s.IdScore);
        retriever.View = ScoringView.Cg;
        var byCg = Set();
        Assert.Equal(parts.Count, byCg.Count);
        Assert.All(byCg, s => Assert.Equal(parts[s.ShowId], s.Score, 1e-4));
        Assert.All(byCg, s => Assert.Equal(0, s.IdScore, 1e-4));
        using var single = Load(M5Bundle.WriteUntrained(World, M5Variants.ByName("single-channel").Of(TinyWorld.Config), models.Path));
        Assert.Contains("no CG channel of its own", Assert.Throws<ArgumentException>(() => single.View = ScoringView.Cg).Message, StringComparison.Ordinal);
    }

    /// <summary>After any changes sets hold exactly what the catalog as it stands allows, in the order of the scores.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sets_are_those_of_the_catalog_as_it_stands(int seed)
    {
        var random = new Random(seed);
        using var retriever = Load(M5Bundle.WriteUntrained(World, TinyWorld.Config, models.Path));
        using var atOnce = Load(new BundleStore(models.Path).Open(retriever.ModelVersion));
        var catalog = World.Shows.ToDictionary(s => s.Id);
        var changes = new List<CatalogChange>();
        for (var round = 0; round < 6; round++)
        {
            CatalogChange[] some = [.. Enumerable.Range(0, 8).Select(_ => RandomChange(random))];
            changes.AddRange(some);
            foreach (var (id, show) in some)
            {
                if (show is null)
                {
                    catalog.Remove(id);
                }
                else
                {
                    catalog[id] = show;
                }
            }

            retriever.Apply(some);
            foreach (var u in new[] { 0, 1, 2, 17 })
            {
                var request = Request(u);
                foreach (var set in Sets(retriever, u))
                {
                    var scenario = World.Scenarios.Single(s => s.Id == set.Scenario);
                    var expected = catalog.Values.Where(s =>
                        scenario.Admits(s) && !request.History.HasWatched(s.Id) &&
                        !(s.AvailableFrom > request.Now) && !(s.AvailableUntil <= request.Now));
                    Assert.Equal(expected.Select(s => s.Id).Order(StringComparer.Ordinal), set.Shows.Select(s => s.ShowId).Order(StringComparer.Ordinal));
                    Assert.Equal(set.Shows.OrderByDescending(s => s.Score).Select(s => s.Score), set.Shows.Select(s => s.Score));
                    Assert.All(set.Shows, s => Assert.Equal(catalog[s.ShowId].Category, s.Category));
                    var few = retriever.Retrieve([request], 5).Users[0].Single(s => s.Scenario == set.Scenario);
                    Assert.Equal(set.Shows.Take(5), few.Shows);
                }
            }

            var pools = retriever.FallbackLists(100).ToDictionary(l => l.Scenario, l => l.Shows.Select(s => s.ShowId));
            Assert.Equal(World.Shows.Where(s => catalog.ContainsKey(s.Id)).Select(s => s.Id).Order(StringComparer.Ordinal), pools[""].Order(StringComparer.Ordinal));
        }

        // The same changes at once leave the same.
        atOnce.Apply(changes);
        Assert.Equal(
            Sets(retriever, 3).SelectMany(s => s.Shows).Select(s => s.ToString()), Sets(atOnce, 3).SelectMany(s => s.Shows).Select(s => s.ToString()));
    }

    [Fact]
    public void A_show_that_shares_nothing_is_named_and_reachable_once_it_does()
    {
        using var retriever = Load(M5Bundle.WriteUntrained(
            World with { Shows = [.. World.Shows.Select(s => s with { Category = ShowCategory.Movie })] }, TinyWorld.Config, models.Path));
        var alien = new Show("alien", ShowCategory.Live) { Title = "Qq", Tags = ["unheard of"] };
        Assert.Equal(["alien"], retriever.Apply([new("alien", alien)]).Unreachable);
        Assert.False(retriever.Knows("alien"));
        var state = retriever.Apply([new("alien", alien with { Tags = ["genre-1"] })]);
        Assert.Equal(1, state.Added);
        Assert.Empty(state.Unreachable);
        retriever.Apply([new("alien", alien)]);
        Assert.False(retriever.Knows("alien"));
        Assert.Empty(retriever.Apply([new("alien", null)]).Unreachable);
    }

    [Theory]
    [InlineData("wo-mm", false)]
    [InlineData("raw-metadata", false)]
    [InlineData("single-channel", true)]
    [InlineData("sa-sin", true)]
    public void Variants_with_a_table_of_content_find_unseen_shows(string variant, bool finds)
    {
        var config = M5Variants.ByName(variant).Of(TinyWorld.Config);
        using var retriever = Load(M5Bundle.WriteUntrained(World, config, models.Path));
        var state = retriever.Apply([new("new", Like(0, "new"))]);
        Assert.Equal(finds ? 1 : 0, state.Added);
        Assert.Equal(finds ? [] : ["new"], state.Unreachable);
        Assert.Equal(finds, Sets(retriever, 1)[0].Shows.Any(s => s.ShowId == "new"));
    }

    [Fact]
    public void Two_segments_find_what_one_does()
    {
        var random = new Random(7);
        for (var round = 0; round < 30; round++)
        {
            // Few distinct numbers, so that many scores are equal.
            var (count, cut, limit) = (random.Next(1, 200), 0, random.Next(1, 60));
            cut = random.Next(count + 1);
            float[] rows = [.. Enumerable.Range(0, count * 4).Select(_ => (float)random.Next(3))];
            float[] query = [.. Enumerable.Range(0, 4).Select(_ => (float)random.Next(-1, 3))];
            var whole = new ExactIndex(rows, 4).Search(query, limit, [])[0];
            var merged = NewShowPlaces.Merge(
                new ExactIndex(rows.AsSpan(0, cut * 4), 4).Search(query, limit, [])[0],
                new ExactIndex(rows.AsSpan(cut * 4), 4).Search(query, limit, [])[0],
                [],
                cut,
                limit);
            Assert.Equal(whole.Rows, merged.Rows);
            Assert.Equal(whole.Scores, merged.Scores);
        }
    }

    private static Show Like(int genre, string id) => new(id, ShowCategory.Movie)
    {
        Title = "Unseen",
        Tags = [$"genre-{genre}"],
        Cast = [$"actor-{genre * TinyWorld.ShowsOfGenre / 4}"],
        ReleaseYear = 2000 + genre,
    };

    private static CatalogChange RandomChange(Random random)
    {
        var known = random.Next(2) == 0;
        var id = known ? World.Shows[random.Next(World.Shows.Count)].Id : $"new-{random.Next(12)}";
        return random.Next(3) == 0
            ? new CatalogChange(id, null)
            : new CatalogChange(id, Like(random.Next(4), id) with
            {
                Category = (ShowCategory)random.Next(1, 4),
                AvailableFrom = random.Next(3) == 0 ? TinyWorld.Start.AddDays(random.Next(12)) : null,
                AvailableUntil = random.Next(3) == 0 ? TinyWorld.Start.AddDays(random.Next(12)) : null,
            });
    }

    private static RetrievalRequest Request(int u) =>
        new(World.Users[u].User.Id, TinyWorld.HistoryOf(World.Users[u]), World.Users[u].Actions[^1].Time);

    private static IReadOnlyList<ScenarioCandidates> Sets(M5Retriever retriever, int u) => retriever.Retrieve([Request(u)], 200).Users[0];

    private static M5Retriever Load(BundleDirectory bundle) => M5Retriever.Load(bundle, "cpu");

    private BundleDirectory Trained()
    {
        using var model = Trainer.Train(
            Splits.LeaveOneOut(World),
            TinyWorld.Config,
            TrainingOptions.Small with { Epochs = 6, LearningRate = 0.01, BatchSize = 32, Threads = 1, Device = "cpu" });
        return M5Bundle.Write(model, models.Path);
    }
}
