using Grpc.Core;
using Nearline.Api.Admin;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using GetIndexInfoResponse = Nearline.Contracts.Inspection.V1.GetIndexInfoResponse;

namespace Nearline.Api.Tests.Admin;

/// <summary>What the api makes of what a worker says, and does when there is none.</summary>
[Collection(RedisCollection.Name)]
public sealed class WorkerTests(SharedRedis redis)
{
    private static readonly ShowExplanation Explanation = new()
    {
        ModelVersion = "m5-test-2",
        Masks = { new MaskVerdict { Mask = ShowMask.Pool, Detail = "scenario 'home' takes movie; it is series" } },
        Scores = new ShowScores { Score = 3, IdScore = 2, CgScore = 1, Weight = 0.5f, FId = 4, FCg = 2 },
        Reason = "'other' is kept out of the set: scenario 'home' takes movie; it is series.",
    };

    [Fact]
    public async Task Index_info_is_the_workers_and_its_first_fields_are_the_active_models()
    {
        var indexes = new[]
        {
            new ServedIndex { ModelVersion = "v2", Backend = "exact-cpu", Reason = "auto: exact", ItemCount = 70_000, Dimension = 256, MemoryBytes = 90_000_000, AddedCount = 3, RemovedCount = 1, Roles = { new ModelRole { Name = "active", Percent = 100 } } },
            new ServedIndex { ModelVersion = "v3", Backend = "hnsw", Roles = { new ModelRole { Name = "canary", Percent = 5 } } },
        };
        await using var worker = await FakeWorker.StartAsync(new GetIndexInfoResponse { Indexes = { indexes } });
        await using var api = await RunningApi.StartAsync(redis.Address, ("Api:WorkerAddress", worker.Address));

        var info = await new AdminService.AdminServiceClient(api.Channel).GetIndexInfoAsync(new());

        Assert.Equal(
            ("v2", "exact-cpu", 70_000, 256, 90_000_000L),
            (info.ModelVersion, info.Backend, info.ItemCount, info.Dimension, info.MemoryBytes));
        Assert.Equal(indexes, info.Indexes);
    }

    [Fact]
    public async Task The_workers_explanation_is_beside_what_is_stored()
    {
        await using var worker = await FakeWorker.StartAsync();
        ExplainShowRequest? asked = null;
        var deadline = DateTime.MaxValue;
        worker.OnExplain = (request, context) =>
        {
            (asked, deadline) = (request, context.Deadline);
            return Task.FromResult(new ExplainShowResponse { Explanation = Explanation });
        };
        await using var api = await RunningApi.StartReadyAsync(redis.Address, ("Api:WorkerAddress", worker.Address), ("Api:WorkerTimeout", "00:01:00"));
        var user = await UserAsync();
        var latest = DateTime.UtcNow.AddSeconds(30);

        var outside = await ExplainAsync(api, user, "other", latest, "bold");
        var inside = await ExplainAsync(api, user, "s-3", latest);
        var fallback = await ExplainAsync(api, Seeder.NewUser(), "nothing", latest);

        Assert.Equal(new ExplainShowRequest { UserId = user, Scenario = Seeder.Home, ItemId = "other", Variant = "bold" }, new ExplainShowRequest(asked) { UserId = user, ItemId = "other", Variant = "bold" });
        Assert.InRange(deadline, DateTime.UtcNow.AddSeconds(-1), latest);
        Assert.All(new[] { outside, inside, fallback }, r => Assert.Equal((Explanation, ""), (r.Explanation, r.ExplanationMissing)));
        Assert.Equal($"'other' is not in the user's own set. {Explanation.Reason}", outside.Reason);
        Assert.Equal((true, 4), (inside.Served, inside.Rank));
        Assert.StartsWith("'s-3' is number 4 of 10 in the user's own set: its score 97", inside.Reason, StringComparison.Ordinal);
        Assert.Equal($"'nothing' is not in the scenario's fallback list, as the user has no set of their own. {Explanation.Reason}", fallback.Reason);
    }

    [Fact]
    public async Task Without_a_worker_what_is_stored_is_explained_and_what_is_missing_is_told()
    {
        var worker = await FakeWorker.StartAsync();
        var address = worker.Address;
        worker.OnExplain = (_, _) => throw new RpcException(new Status(StatusCode.NotFound, "scenario is 'home'; model v2 has attic"));
        await using var unset = await RunningApi.StartReadyAsync(redis.Address);
        await using var api = await RunningApi.StartReadyAsync(redis.Address, ("Api:WorkerAddress", address), ("Api:WorkerTimeout", "00:00:30"));
        await using var noWorker = await RunningApi.StartReadyAsync(redis.Address, ("Api:WorkerAddress", unset.Grpc));
        var user = await UserAsync();

        await MissingAsync(unset, "Api:WorkerAddress is not set; it must be a worker's inspection address");
        await MissingAsync(noWorker, "is no worker's inspection port");
        await MissingAsync(api, $"the worker at {address} answers NOT_FOUND: scenario is 'home'; model v2 has attic");
        Assert.Equal(StatusCode.FailedPrecondition, (await IndexFailureAsync(unset)).StatusCode);
        Assert.Equal(StatusCode.FailedPrecondition, (await IndexFailureAsync(noWorker)).StatusCode);
        await worker.DisposeAsync();
        await MissingAsync(api, $"the worker at {address} (Api:WorkerAddress) cannot be reached");
        Assert.Equal(StatusCode.Unavailable, (await IndexFailureAsync(api)).StatusCode);

        async Task MissingAsync(RunningApi asked, string why)
        {
            var response = await ExplainAsync(asked, user, "s-3", DateTime.UtcNow.AddSeconds(60));
            Assert.Null(response.Explanation);
            Assert.Contains(why, response.ExplanationMissing, StringComparison.Ordinal);
            Assert.StartsWith("Masks, the weight of the channels and the user's nearest shows are missing: ", response.ExplanationMissing, StringComparison.Ordinal);
            Assert.EndsWith(response.ExplanationMissing, response.Reason, StringComparison.Ordinal);
            Assert.Equal((true, 4), (response.Served, response.Rank));
        }
    }

    [Fact]
    public async Task A_worker_that_stands_still_costs_its_timeout_or_the_callers_share_and_hears_of_the_end()
    {
        await using var worker = await FakeWorker.StartAsync();
        var cancelled = 0;
        worker.OnExplain = async (_, context) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref cancelled);
            }

            return new();
        };
        await using var quick = await RunningApi.StartReadyAsync(redis.Address, ("Api:WorkerAddress", worker.Address), ("Api:WorkerTimeout", "00:00:00.100"));
        await using var patient = await RunningApi.StartReadyAsync(redis.Address, ("Api:WorkerAddress", worker.Address), ("Api:WorkerTimeout", "00:01:00"));
        var user = await UserAsync();

        // By the setting; by the caller's deadline, of which enough is left for the answer.
        var first = await ExplainAsync(quick, user, "s-3", DateTime.UtcNow.AddSeconds(60));
        var second = await ExplainAsync(patient, user, "s-3", DateTime.UtcNow.AddSeconds(5));

        Assert.All(new[] { first, second }, r => Assert.Contains("did not answer in time", r.ExplanationMissing, StringComparison.Ordinal));
        await Eventually.TrueAsync(() => Volatile.Read(ref cancelled) == 2, "the worker hears that nobody waits any more");
    }

    [Fact]
    public async Task Questions_that_wait_for_a_worker_are_few_and_candidates_are_served_meanwhile()
    {
        await using var worker = await FakeWorker.StartAsync();
        var asked = 0;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.OnExplain = async (_, context) =>
        {
            Interlocked.Increment(ref asked);
            await release.Task.WaitAsync(context.CancellationToken);
            return new ExplainShowResponse { Explanation = Explanation };
        };
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address, ("Api:WorkerAddress", worker.Address), ("Api:WorkerTimeout", "00:01:00"), ("Api:MaxConcurrentRequests", WorkerInspector.AtATime + 2));
        var user = await UserAsync();
        var deadline = DateTime.UtcNow.AddMinutes(3);

        var waiting = Enumerable.Range(0, WorkerInspector.AtATime).Select(_ => ExplainAsync(api, user, "s-3", deadline)).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) == waiting.Count, "all of them are before the worker");
        var beyond = await ExplainAsync(api, user, "s-3", deadline);
        var served = await api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });

        Assert.Contains("16 questions wait for the worker already", beyond.ExplanationMissing, StringComparison.Ordinal);
        Assert.Equal(StatusCode.ResourceExhausted, (await IndexFailureAsync(api)).StatusCode);
        Assert.Equal(10, served.Candidates.Count);
        release.SetResult();
        Assert.All(await Task.WhenAll(waiting), r => Assert.Equal(Explanation, r.Explanation));
        Assert.Equal("", (await ExplainAsync(api, user, "s-3", deadline)).ExplanationMissing);
    }

    private static Task<Status> IndexFailureAsync(RunningApi api) =>
        Rpc.FailureAsync(() => new AdminService.AdminServiceClient(api.Channel).GetIndexInfoAsync(new()).ResponseAsync);

    private static Task<ExplainCandidateResponse> ExplainAsync(RunningApi api, string user, string item, DateTime deadline, string variant = "") =>
        api.Client.ExplainCandidateAsync(new() { UserId = user, Scenario = Seeder.Home, ItemId = item, Variant = variant }, deadline: deadline).ResponseAsync;

    private async Task<string> UserAsync()
    {
        var user = Seeder.NewUser();
        await redis.Seed.SetAsync(user, Seeder.Home, Seeder.Set(10));
        return user;
    }
}
