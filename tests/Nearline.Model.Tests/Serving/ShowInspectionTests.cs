using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Serving;

/// <summary>What is said of a show is what retrieval does with it.</summary>
[Collection(TorchTests.Name)]
public sealed class ShowInspectionTests : IDisposable
{
    private const int SetSize = 8;

    private static readonly Dataset World = WithWindows(TinyWorld.Create(30));

    private readonly TempDirectory models = new();

    public void Dispose() => models.Dispose();

    [Theory]
    [InlineData("exact-cpu")]
    [InlineData("exact-torch")]
    [InlineData("hnsw")]
    public void Scores_places_and_masks_are_those_of_the_sets(string backend)
    {
        using var retriever = Load(backend);
        retriever.NewShowBoost = 0;
        CatalogChange[] changes =
        [
            new("show-3", null),
            new("new-1", World.Shows[5] with { Id = "new-1" }),
            new("new-2", World.Shows[17] with { Id = "new-2", Category = ShowCategory.Live }),
        ];
        retriever.Apply(changes);
        var catalog = World.Shows.Where(s => s.Id != "show-3").Concat(changes.Skip(1).Select(c => c.Show!)).ToDictionary(s => s.Id);
        var kept = 0;
        foreach (var u in new[] { 0, 1, 2, 11 })
        {
            var request = Request(u);
            var all = retriever.Retrieve([request], 1000).Users[0];
            foreach (var set in retriever.Retrieve([request], SetSize).Users[0])
            {
                var scenario = World.Scenarios.Single(s => s.Id == set.Scenario);
                var ranked = all.Single(s => s.Scenario == set.Scenario).Shows.ToList();
                foreach (var show in World.Shows.Select(s => s.Id).Concat(["new-1", "new-2"]))
                {
                    var inspection = retriever.Inspect(request, set.Scenario, show, SetSize, 3);
                    var isAllowed = catalog.TryGetValue(show, out var said) && scenario.Admits(said) && !request.History.HasWatched(show)
                        && !(said.AvailableFrom > request.Now) && !(said.AvailableUntil <= request.Now);
                    Assert.Equal(isAllowed, !inspection.IsRemoved && inspection.IsAvailable && inspection.IsInPool && !inspection.IsWatched);
                    Assert.Equal(ranked.Count, inspection.Servable);
                    Assert.Equal(set.Shows, inspection.Set);
                    Assert.Equal(set.Shows.ToList().FindIndex(s => s.ShowId == show), inspection.Place ?? -1);
                    var scores = inspection.Scores!;
                    if (isAllowed)
                    {
                        // To the last bit: an operator compares them. What a set says of a new show's ID part is a difference.
                        var place = ranked.FindIndex(s => s.ShowId == show);
                        Assert.Equal((place, ranked[place].Score), (inspection.Before, scores.Score));
                        Assert.Equal(ranked[place].IdScore, scores.IdScore, inspection.Standing == ShowStanding.New ? 1e-5 : 0);
                    }
                    else
                    {
                        kept++;
                        Assert.Equal(ranked.Count(s => s.Score > scores.Score), inspection.Before);
                    }

                    Assert.Equal(scores.IdScore, scores.Weight * scores.IdProduct, 1e-4);
                    Assert.Equal(scores.CgScore, (1 - scores.Weight) * scores.CgProduct, 1e-4);
                    Assert.InRange(scores.Weight, 0, 1);
                }
            }
        }

        Assert.True(kept > 50, $"only {kept} shows are kept out by a mask");
    }

    [Fact]
    public void Nearest_shows_of_the_past_are_those_of_the_highest_cosine_in_each_channel()
    {
        var bundle = M5Bundle.WriteUntrained(World, TinyWorld.Config, models.Path);
        using var retriever = M5Retriever.Load(bundle, "cpu");
        var neighbours = ShowNeighbours.Of(bundle);
        var request = Request(4);
        var history = request.History;
        history.Apply(new UserAction(ActionKind.Dislike, request.Now) { ShowId = "show-40" });
        history.Apply(new UserAction(ActionKind.Save, request.Now) { ShowId = "show-41" });
        history.Apply(new UserAction(ActionKind.Unsave, request.Now) { ShowId = "show-41" });
        history.Apply(new UserAction(ActionKind.Watch, request.Now) { ShowId = "in no model" });
        var past = history.Behaviours.Where(b => !b.Retracted).GroupBy(b => b.ShowId).ToDictionary(g => g.Key, g => g.OrderByDescending(b => b.LastTime).ToList());
        foreach (var show in new[] { "show-2", "show-30", history.Sequence(BehaviourKind.Watch)[0].ShowId })
        {
            var inspection = retriever.Inspect(request, "everything", show, SetSize, 4);
            Check(inspection.NearestById, RowPart.Id);
            Check(inspection.NearestByContent, RowPart.Cg);
            Assert.Equal(past.GetValueOrDefault(show, []), inspection.Behaviours);

            void Check(IReadOnlyList<PastShow> found, RowPart part)
            {
                var row = World.Shows.ToList().FindIndex(s => s.Id == show);
                var expected = neighbours.Nearest(row, part, 1000).Select(n => (Id: neighbours.Shows[n.Show].Id, n.Cosine)).Where(n => past.ContainsKey(n.Id)).Take(4).ToList();
                Assert.Equal(expected.Select(n => n.Id), found.Select(f => f.ShowId));
                Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First.Cosine, pair.Second.Cosine, 1e-5));
                Assert.All(found, f => Assert.Equal(past[f.ShowId], f.Behaviours));
            }
        }

        // The explained show and what was taken back are none of them.
        var all = retriever.Inspect(request, "everything", "show-40", SetSize, 1000).NearestByContent.Select(n => n.ShowId).ToList();
        Assert.DoesNotContain("show-40", all);
        Assert.DoesNotContain(all, id => id == "show-41" && !past.ContainsKey(id));
    }

    [Fact]
    public void How_the_model_knows_a_show_follows_the_catalog()
    {
        var onlyFilms = World with { Shows = [.. World.Shows.Select(s => s with { Category = ShowCategory.Movie })] };
        using var retriever = M5Retriever.Load(M5Bundle.WriteUntrained(onlyFilms, TinyWorld.Config, models.Path), "cpu");
        retriever.Apply([new("new", World.Shows[16] with { Id = "new" }), new("alien", new Show("alien", ShowCategory.Live) { Title = "Qq", Tags = ["unheard of"] })]);

        Assert.Equal(ShowStanding.Known, Inspect("show-7").Standing);
        var added = Inspect("new");
        Assert.Equal((ShowStanding.New, 0f, 0f), (added.Standing, added.Scores!.IdScore, added.Scores.IdProduct));
        Assert.Empty(added.NearestById);
        Assert.NotEmpty(added.NearestByContent);
        foreach (var (show, standing) in new[] { ("alien", ShowStanding.Unreachable), ("nothing", ShowStanding.Unknown) })
        {
            var inspection = Inspect(show);
            Assert.Equal((standing, null, null, null, null), (inspection.Standing, inspection.Item, inspection.Scores, inspection.Place, inspection.Before));
            Assert.Equal(SetSize, inspection.Set.Count);
        }

        // A new show in a place that content gave it keeps the score that it has.
        retriever.NewShowBoost = 10;
        added = Inspect("new");
        Assert.NotNull(added.Place);
        Assert.True(added.Set[added.Place.Value].Score >= added.Scores!.Score);

        ShowInspection Inspect(string show) => retriever.Inspect(Request(1), "everything", show, SetSize, 3);
    }

    [Fact]
    public void Users_outside_the_scenario_have_scores_and_no_set_and_an_unknown_scenario_is_refused()
    {
        using var retriever = Load("exact-cpu");
        var request = Request(0);
        request.History.Apply(new UserAction(ActionKind.ProfileUpdate, request.Now) { Scenarios = ["on-demand"] });

        var inspection = retriever.Inspect(request, "everything", "show-1", SetSize, 3);

        Assert.False(inspection.IsUserServed);
        Assert.Empty(inspection.Set);
        Assert.NotNull(inspection.Scores);
        var error = Assert.Throws<ArgumentException>(() => retriever.Inspect(request, "nowhere", "show-1", SetSize, 3));
        Assert.Contains("scenario: 'nowhere': model", error.Message, StringComparison.Ordinal);
        Assert.Contains("everything, on-demand", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wo-mm")]
    [InlineData("single-channel")]
    public void A_model_of_one_channel_has_all_of_the_score_there(string variant)
    {
        using var retriever = M5Retriever.Load(
            M5Bundle.WriteUntrained(World, M5Variants.ByName(variant).Of(TinyWorld.Config), models.Path), "cpu");
        var inspection = retriever.Inspect(Request(2), "everything", "show-9", 48, 3);

        var scores = inspection.Scores!;
        Assert.Equal((1f, 0f), (scores.Weight, scores.CgProduct));
        Assert.Equal(scores.Score, scores.IdProduct, 1e-4);
        Assert.Equal(scores.Score, scores.IdScore, 1e-4);
        Assert.NotEmpty(inspection.NearestById);
        Assert.Empty(inspection.NearestByContent);
    }

    [Fact]
    public void Inspection_leaves_no_tensors_behind()
    {
        using var retriever = Load("exact-cpu");
        Inspect();
        var before = LiveTensors.Count();
        Inspect();
        Assert.Equal(before, LiveTensors.Count());

        void Inspect() => retriever.Inspect(Request(3), "everything", "show-1", SetSize, 3);
    }

    private static Dataset WithWindows(Dataset world) => world with
    {
        Shows =
        [
            .. world.Shows.Select((s, i) => s with
            {
                AvailableFrom = i % 7 == 0 && i % 5 != 0 ? TinyWorld.Start.AddDays(40) : null,
                AvailableUntil = i % 5 == 0 ? TinyWorld.Start.AddDays(5) : null,
            }),
        ],
    };

    private static RetrievalRequest Request(int u) =>
        new(World.Users[u].User.Id, TinyWorld.HistoryOf(World.Users[u]), World.Users[u].Actions[^1].Time);

    private M5Retriever Load(string backend) => M5Retriever.Load(
        M5Bundle.WriteUntrained(World, TinyWorld.Config, models.Path), "cpu", backend: new BackendOptions { Backend = backend, MeasureFor = TimeSpan.Zero });
}
