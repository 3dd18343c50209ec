using System.Collections.Concurrent;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>Models change under load: tower, index, masks and side segment go together.</summary>
public sealed class SwapTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly CatalogChange[] Changes =
    [
        new("s7", null),
        .. Enumerable.Range(0, 5).Select(i => new CatalogChange($"new-{i}", new Show($"new-{i}", ShowCategory.Movie) { Title = $"New {i}", Tags = [$"t{i}"] })),
    ];

    private readonly string models = Directory.CreateTempSubdirectory("nearline-models-").FullName;

    public void Dispose() => Directory.Delete(models, recursive: true);

    [Fact]
    public async Task Every_batch_is_wholly_of_one_model_and_a_model_goes_after_its_last_batch()
    {
        const int Swaps = 8, Askers = 4, BatchesBetween = 15;
        var bundles = Enumerable.Range(1, 2).Select(seed => M5Bundle.WriteUntrained(World(), M5Config.Small, models, seed, version: $"v{seed}")).ToList();
        var requests = Enumerable.Range(0, 4).Select(Request).ToList();

        // The torch index refuses a search after its disposal, and the network its parameters.
        IServingRetriever Load(int swap) => M5Retriever.Load(
            bundles[swap % 2], "cpu", 1, new BackendOptions { Backend = swap % 3 == 0 ? "exact-torch" : "exact-cpu", MeasureFor = TimeSpan.Zero });
        var expected = new ConcurrentDictionary<(string Version, bool IsChanged), string>();
        foreach (var swap in new[] { 0, 1 })
        {
            using var alone = Load(swap);
            expected[(alone.ModelVersion, false)] = Answer(alone);
            Assert.Equal(5, alone.Apply(Changes).Added);
            expected[(alone.ModelVersion, true)] = Answer(alone);
        }

        Assert.Equal(4, expected.Values.Distinct().Count());

        string Answer(IRetriever retriever) => string.Join(
            '|', retriever.Retrieve(requests, 30).Users.SelectMany(u => u).Select(s => $"{s.Scenario}: {string.Join(' ', s.Shows)}"));

        using var host = new ModelHost();
        await host.SwapAsync(Load(0), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var changed = false;
        var answered = new SemaphoreSlim(0);
        var versions = new ConcurrentDictionary<string, int>();
        var askers = Enumerable.Range(0, Askers).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var mustBeChanged = Volatile.Read(ref changed);
                var (version, answer) = await host.RunAsync(r => (r.ModelVersion, Answer(r)), CancellationToken.None);
                Assert.True(
                    answer == expected[(version, true)] || (!mustBeChanged && answer == expected[(version, false)]),
                    $"{version}, {(mustBeChanged ? "after" : "before")} the catalog changed: {answer}");
                versions.AddOrUpdate(version, 1, (_, count) => count + 1);
                answered.Release();
            }
        })).ToList();

        async Task AnswersAsync()
        {
            for (var i = 0; i < BatchesBetween; i++)
            {
                if (!await answered.WaitAsync(TimeSpan.FromSeconds(30)))
                {
                    break;
                }
            }
        }

        for (var swap = 1; swap <= Swaps && !askers.Exists(a => a.IsCompleted); swap++)
        {
            await AnswersAsync();
            await host.SwapAsync(Load(swap), CancellationToken.None);
            Assert.Equal($"v{(swap % 2) + 1}", host.Version);
            Assert.Equal(swap % 3 == 0 ? "exact-torch" : "exact-cpu", host.Index?.Backend);
            if (swap == Swaps / 2)
            {
                Assert.Equal(5, (await host.ApplyAsync(Changes, 6, CancellationToken.None))?.Added);
                Volatile.Write(ref changed, true);
            }
        }

        await AnswersAsync();
        await stop.CancelAsync();
        await Task.WhenAll(askers);
        Assert.All(["v1", "v2"], v => Assert.True(versions[v] >= BatchesBetween, $"{v} answered {versions[v]} batches"));
        Assert.Equal((5, 1), (host.Catalog?.Added, host.Catalog?.Removed));
    }

    [Fact]
    public async Task Changes_that_come_while_a_model_takes_in_the_catalog_are_not_lost_and_work_goes_on_meanwhile()
    {
        using var host = new ModelHost();
        await host.SwapAsync(new FakeRetriever("m1"), CancellationToken.None);
        await host.ApplyAsync([Upsert("a"), Upsert("b")], 2, CancellationToken.None);
        using var applying = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var next = new FakeRetriever("m2")
        {
            OnApply = _ =>
            {
                applying.Release();
                Assert.True(goOn.Wait(TimeSpan.FromSeconds(30)));
            },
        };
        var swap = Task.Run(() => host.SwapAsync(next, CancellationToken.None));
        Assert.True(await applying.WaitAsync(TimeSpan.FromSeconds(30)));

        // The old model serves, and takes changes, while the new one is at it.
        Assert.Equal("m1", await host.RunAsync(r => r.ModelVersion, CancellationToken.None));
        await host.ApplyAsync([Upsert("c"), new CatalogChange("a", null)], 4, CancellationToken.None);
        Assert.Equal("m1", host.Version);
        goOn.Release(2);
        await swap;
        Assert.Equal("m2", await host.RunAsync(r => r.ModelVersion, CancellationToken.None));
        Assert.Equal(["a", "b", "c"], next.Catalog.Keys.Order());
        Assert.Null(next.Catalog["a"].Show);
        Assert.Equal(2, host.Catalog?.Added);
    }

    private static CatalogChange Upsert(string id) => new(id, new Show(id, ShowCategory.Movie));

    private static RetrievalRequest Request(int user)
    {
        var history = new UserHistory();
        for (var i = 0; i < 6; i++)
        {
            history.Apply(new UserAction(ActionKind.Watch, Now.AddHours(i - 10)) { ShowId = $"s{((user * 11) + (i * 3)) % 60}", Played = TimeSpan.FromMinutes(20) });
        }

        return new RetrievalRequest($"u{user}", history, Now);
    }

    private static Dataset World() => new(
        [.. Enumerable.Range(0, 60).Select(i => new Show($"s{i}", i % 2 == 0 ? ShowCategory.Series : ShowCategory.Movie) { Title = $"Show {i}", Tags = [$"t{i % 5}"] })],
        [new Scenario("all"), new Scenario("films") { PoolCategories = [ShowCategory.Movie] }],
        [.. Enumerable.Range(0, 6).Select(u => new UserLog(
            new UserProfile($"x{u}"),
            [.. Enumerable.Range(0, 5).Select(i => new UserAction(ActionKind.Watch, new DateTimeOffset(2026, 1, 1, u, i, 0, TimeSpan.Zero))
            {
                ShowId = $"s{((u * 7) + (i * 3)) % 60}",
                Scenario = "all",
                Played = TimeSpan.FromMinutes(20),
            })]))]);
}
