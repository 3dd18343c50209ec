using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Tests.Support;
using ShowStanding = Nearline.Contracts.Candidates.V1.ShowStanding;

namespace Nearline.Worker.Tests.Inspection;

/// <summary>What the worker says of its models and of users' shows, with M5 itself and bundles on disk.</summary>
public sealed class InspectionTests : IDisposable
{
    private const int SetSize = 10;

    /// <summary>
    /// A little ahead, by as much as a producer's clock may be: sets and explanations are then made for one time, that of the
    /// event.
    /// </summary>
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()).AddMinutes(4);

    private readonly string models = Directory.CreateTempSubdirectory("nearline-models-").FullName;

    public void Dispose() => Directory.Delete(models, recursive: true);

    [Fact]
    public async Task Shows_are_explained_by_the_model_that_makes_the_users_sets_with_the_scores_of_the_sets()
    {
        var store = Bundles();
        var rollouts = new RolloutStore(store);
        rollouts.SetCanary("v2", 50);
        rollouts.SetExperiment("bold", "v2", 100);
        var plan = new ServingPlan("v1", rollouts.Read());
        var ofActive = Enumerable.Range(0, 100).Select(i => $"u{i}").First(u => plan.VersionFor(u) == "v1");
        var ofCanary = Enumerable.Range(0, 100).Select(i => $"u{i}").First(u => plan.VersionFor(u) == "v2");
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await StartAsync(infrastructure);
        using var first = M5Retriever.Load(store.Open("v1"), "cpu", 1);
        using var second = M5Retriever.Load(store.Open("v2"), "cpu", 1);
        foreach (var (user, variant, model) in new[] { (ofActive, "", first), (ofCanary, "", second), (ofActive, "bold", second), (ofActive, "unheard-of", first) })
        {
            var history = await WatchAsync(infrastructure, user, 3, 12);
            foreach (var scenario in new[] { "all", "films" })
            {
                var stored = (await infrastructure.SetAsync(user, scenario, variant == "bold" ? variant : ""))!;
                ScenarioCandidates? alone = null;
                for (var i = 0; i < SetSize; i++)
                {
                    var explanation = await ExplainAsync(worker, user, scenario, stored.ShowIds[i], variant);
                    Assert.Equal((model.ModelVersion, variant == "bold" ? "bold" : ""), (explanation.ModelVersion, explanation.Variant));
                    Assert.Equal((i + 1, i + 1, SetSize, true), (explanation.Rank, explanation.RankAmongAll, explanation.SetCount, explanation.UserKnown));
                    Assert.Equal(stored.Scores[i], explanation.Scores.Score, 1e-4);
                    Assert.Equal(stored.IdScores[i], explanation.Scores.IdScore, 1e-4);
                    Assert.All(explanation.Masks, m => Assert.True(m.Passes, m.Detail));

                    // And to the last bit those of a set made of this user alone.
                    alone ??= model.Retrieve([new RetrievalRequest(user, history, explanation.ExplainedFor.ToDateTimeOffset())], SetSize)
                        .Users[0].Single(s => s.Scenario == scenario);
                    Assert.Equal((stored.ShowIds[i], alone.Shows[i].Score, alone.Shows[i].IdScore), (alone.Shows[i].ShowId, explanation.Scores.Score, explanation.Scores.IdScore));
                    Assert.Equal(alone.Shows[^1].Score, explanation.SetLastScore);
                    Assert.Contains($"is number {i + 1} of 10 in the set that model {model.ModelVersion} would make now", explanation.Reason, StringComparison.Ordinal);
                    Assert.Equal(explanation.Scores.Score, explanation.Scores.IdScore + explanation.Scores.CgScore, 1e-4);
                    Assert.Equal(explanation.Scores.IdScore, explanation.Scores.Weight * explanation.Scores.FId, 1e-4);
                    Assert.Equal(["s12", "s3"], explanation.NearestById.Select(n => n.ItemId).Order());
                    Assert.Equal(["s12", "s3"], explanation.NearestByContent.Select(n => n.ItemId).Order());
                    var near = Assert.Single(explanation.NearestByContent[0].Behaviours);
                    Assert.Equal((PastBehaviourKind.Watch, TimeSpan.FromMinutes(30)), (near.Kind, near.Played.ToTimeSpan()));
                }
            }
        }
    }

    [Fact]
    public async Task Each_mask_says_why_it_keeps_a_show_out()
    {
        Bundles();
        await using var infrastructure = await Infrastructure.StartAsync(1);
        infrastructure.Kafka.CreateTopic(KafkaTopics.Catalog, 1);
        await infrastructure.PublishAsync(KafkaTopics.Catalog, "s5", null);
        await UpsertAsync(Show("s6", "t1"), s => s.AvailableFrom = Timestamp.FromDateTimeOffset(Now.AddDays(3)));
        await UpsertAsync(Show("new", "t1"));
        await UpsertAsync(new Contracts.Catalog.V1.Show { ShowId = "alien", Title = "Qq", Category = Contracts.Catalog.V1.ShowCategory.Live });
        await using var worker = await StartAsync(infrastructure);
        await WatchAsync(infrastructure, "u1", 3, 12);
        await Eventually.PassAsync(async () => Assert.Equal(1, (await worker.Inspection.GetIndexInfoAsync(new()).ResponseAsync).Indexes[0].AddedCount));

        await KeptOutAsync("s3", "all", ShowMask.Unwatched, "the user watched it, 30 min in all, last on");
        await KeptOutAsync("s5", "all", ShowMask.InCatalog, "it was removed from the catalog");
        await KeptOutAsync("s6", "all", ShowMask.Available, "it is available from", "not now");
        await KeptOutAsync("s4", "films", ShowMask.Pool, "scenario 'films' takes movie; it is series");
        Assert.Equal(ShowStanding.Unreachable, (await KeptOutAsync("alien", "all", ShowMask.Known, "it came after model v1", "it waits for the next model")).Standing);
        Assert.Equal(ShowStanding.Unknown, (await KeptOutAsync("nothing", "all", ShowMask.Known, "neither model v1 nor the catalog has it")).Standing);
        var added = await ExplainAsync(worker, "u1", "all", "new");
        Assert.Equal((ShowStanding.New, 0f, 0), (added.Standing, added.Scores.FId, added.NearestById.Count));
        Assert.NotEmpty(added.NearestByContent);
        Assert.All(added.Masks, m => Assert.True(m.Passes, m.Detail));

        // A show of the model below the set: what it would take.
        var below = await ExplainAsync(worker, "u1", "all", "s13");
        for (var i = 14; below.Rank > 0; i++)
        {
            below = await ExplainAsync(worker, "u1", "all", $"s{i}");
        }

        Assert.True(below.RankAmongAll > SetSize && below.Scores.Score < below.SetLastScore, below.ToString());
        Assert.Contains($"it is number {below.RankAmongAll} of {below.ServableCount} by its score, and the set of 10 ends at", below.Reason, StringComparison.Ordinal);

        // A user of whom nothing is stored, and one who is served elsewhere.
        var stranger = await ExplainAsync(worker, "stranger", "all", "s1");
        Assert.False(stranger.UserKnown);
        Assert.StartsWith("Nothing is stored of the user", stranger.Reason, StringComparison.Ordinal);
        await infrastructure.PublishAsync(Records.Event("u1", e => e.ProfileUpdate = new() { Scenarios = { "films" } }, Now.AddSeconds(1), "e9"));
        await Eventually.PassAsync(async () => Assert.Contains(
            (await ExplainAsync(worker, "u1", "all", "s1")).Masks, m => m is { Mask: ShowMask.UserInScenario, Passes: false, Detail: "the user is served in films" }));

        async Task<ShowExplanation> KeptOutAsync(string show, string scenario, ShowMask mask, params string[] details)
        {
            var explanation = await ExplainAsync(worker, "u1", scenario, show);
            var verdict = Assert.Single(explanation.Masks, m => !m.Passes);
            Assert.Equal(mask, verdict.Mask);
            Assert.All(details, d => Assert.Contains(d, verdict.Detail, StringComparison.Ordinal));
            Assert.Contains(verdict.Detail, explanation.Reason, StringComparison.Ordinal);
            Assert.Equal(0, explanation.Rank);
            return explanation;
        }

        Task UpsertAsync(Contracts.Catalog.V1.Show show, Action<Contracts.Catalog.V1.Show>? change = null)
        {
            change?.Invoke(show);
            return infrastructure.PublishAsync(KafkaTopics.Catalog, show.ShowId, show.ToByteArray());
        }
    }

    [Fact]
    public async Task Index_info_names_every_model_in_use_its_backend_and_why()
    {
        var store = Bundles();
        var rollouts = new RolloutStore(store);
        rollouts.SetCanary("v2", 12.5);
        rollouts.SetExperiment("bold", "v1", 5);
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await StartAsync(infrastructure);
        await Eventually.TrueAsync(() => worker.Logs.Information("served now").Count > 0, "both models are served");

        var indexes = (await worker.Inspection.GetIndexInfoAsync(new())).Indexes;

        Assert.Equal(["v1", "v2"], indexes.Select(i => i.ModelVersion));
        Assert.Equal([("active", 100), ("bold", 5)], indexes[0].Roles.Select(r => (r.Name, r.Percent)));
        Assert.Equal([("canary", 12.5)], indexes[1].Roles.Select(r => (r.Name, r.Percent)));
        Assert.All(indexes, i => Assert.Equal(("exact-cpu", 40, 2 * M5Config.Small.Width, "cpu"), (i.Backend, i.ItemCount, i.Dimension, i.Device)));
        Assert.All(indexes, i => Assert.Equal(["all", "films"], i.Scenarios));
        Assert.All(indexes, i => Assert.StartsWith("auto: exact, within the budget of", i.Reason, StringComparison.Ordinal));
        Assert.All(indexes, i => Assert.Equal("exact-cpu", Assert.Single(i.Timings).Backend));
        Assert.All(indexes, i => Assert.True(i.MemoryBytes > 4 * i.ItemCount * i.Dimension));

        // The line that was printed when the model became active.
        Assert.All(indexes, i => Assert.Single(worker.Logs.Information($"index of model {i.ModelVersion}: {i.Summary}")));
    }

    private static Contracts.Catalog.V1.Show Show(string id, string tag) =>
        new() { ShowId = id, Title = "Unseen", Category = Contracts.Catalog.V1.ShowCategory.Series, Tags = { tag } };

    private static async Task<ShowExplanation> ExplainAsync(RunningWorker worker, string user, string scenario, string show, string variant = "") =>
        (await worker.Inspection.ExplainShowAsync(new ExplainShowRequest { UserId = user, Scenario = scenario, ItemId = show, Variant = variant })).Explanation;

    /// <summary>The user's past after watching the shows, once sets are made of it.</summary>
    private static async Task<UserHistory> WatchAsync(Infrastructure infrastructure, string user, params int[] shows)
    {
        var history = new UserHistory();
        foreach (var show in shows)
        {
            history.Apply(new UserAction(ActionKind.Watch, Now) { ShowId = $"s{show}", Played = TimeSpan.FromMinutes(30) });
            await infrastructure.PublishAsync(Records.Watch(user, $"s{show}", Now, $"e{show}"));
        }

        await Eventually.PassAsync(async () => Assert.Equal($"e{shows[^1]}", (await infrastructure.SetAsync(user, "all"))?.TriggerEventId));
        return history;
    }

    private BundleStore Bundles()
    {
        var dataset = new Dataset(
            [.. Enumerable.Range(0, 40).Select(i => new Show($"s{i}", i % 2 == 0 ? ShowCategory.Series : ShowCategory.Movie) { Title = $"Show {i}", Tags = [$"t{i % 5}"] })],
            [new Scenario("all"), new Scenario("films") { PoolCategories = [ShowCategory.Movie] }],
            [new UserLog(new UserProfile("x"), [new UserAction(ActionKind.Watch, Now.AddYears(-1)) { ShowId = "s1", Scenario = "all" }])]);
        foreach (var seed in new[] { 1, 2 })
        {
            M5Bundle.WriteUntrained(dataset, M5Config.Small, models, seed, version: $"v{seed}");
        }

        var store = new BundleStore(models);
        store.Activate("v1");
        return store;
    }

    private Task<RunningWorker> StartAsync(Infrastructure infrastructure) => RunningWorker.StartAsync(
        infrastructure, null, null, $"--Worker:ModelsDirectory={models}", "--Worker:Device=cpu", "--Worker:Threads=1", $"--Worker:SetSize={SetSize}", "--Index:ExactBudget=00:00:10");
}
