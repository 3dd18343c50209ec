using Grpc.Core;
using Nearline.Contracts;
using Nearline.Contracts.Inspection.V1;
using Nearline.Worker.Inspection;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Inspection;

/// <summary>Statuses, the bound on calls, cancellation and the port.</summary>
public sealed class InspectionApiTests
{
    private static readonly ExplainShowRequest Request = new() { UserId = "u1", Scenario = "home", ItemId = "film-1" };

    [Fact]
    public async Task Calls_beyond_the_bound_are_refused_and_one_whose_caller_has_gone_is_not_begun()
    {
        using var release = new ManualResetEventSlim();
        var begun = 0;
        var source = new FakeRetrieverSource().Activate(new FakeRetriever("m1")
        {
            OnInspect = () =>
            {
                Interlocked.Increment(ref begun);
                release.Wait(TimeSpan.FromSeconds(60));
            },
        });
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await RunningWorker.StartAsync(infrastructure, source);
        await worker.ReadyAsync();
        try
        {
            // One holds the model; of those that come after it, as many wait as there are places left.
            var holding = worker.Inspection.ExplainShowAsync(Request).ResponseAsync;
            await Eventually.TrueAsync(() => Volatile.Read(ref begun) == 1, "the first is at work");
            var calls = Enumerable.Range(0, 2 * InspectionApi.AtATime).Select(_ => worker.Inspection.ExplainShowAsync(Request)).ToList();
            await Eventually.TrueAsync(() => calls.Count(c => c.ResponseAsync.IsCompleted) == calls.Count - InspectionApi.AtATime + 1, "the others are refused");
            foreach (var refused in calls.Where(c => c.ResponseAsync.IsCompleted))
            {
                Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => refused.ResponseAsync)).StatusCode);
            }

            var waiting = calls.Where(c => !c.ResponseAsync.IsCompleted).ToList();
            waiting[0].Dispose();
            Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => waiting[0].ResponseAsync)).StatusCode);
            await Eventually.TrueAsync(
                () => worker.Meters.Sum(MetricNames.InspectionDuration, ("method", "ExplainShow"), ("outcome", "Cancelled")) > 0, "the worker has heard of that");
            release.Set();
            Assert.True((await holding).Explanation.SetCount > 0);
            await Task.WhenAll(waiting.Skip(1).Select(c => c.ResponseAsync));
            Assert.Equal(InspectionApi.AtATime - 1, Volatile.Read(ref begun));
        }
        finally
        {
            release.Set();
        }

        // All places are free again.
        await Eventually.PassAsync(() => Task.WhenAll(Enumerable.Range(0, InspectionApi.AtATime).Select(_ => worker.Inspection.ExplainShowAsync(Request).ResponseAsync)));
    }

    [Fact]
    public async Task What_is_wrong_is_told_by_status_and_message()
    {
        var source = new FakeRetrieverSource().With(new FakeRetriever("m1") { OnInspect = () => throw new InvalidOperationException("not a number") });
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var worker = await RunningWorker.StartAsync(infrastructure, source, null, "--Worker:RedisTimeout=00:00:00.500", "--Worker:DrainTimeout=00:00:01");
        await FailsAsync(StatusCode.Unavailable, "no model is active yet", Request);
        source.Serve("m1");
        await worker.ReadyAsync();

        await FailsAsync(StatusCode.InvalidArgument, "user_id is empty", new() { Scenario = "home", ItemId = "x" });
        await FailsAsync(StatusCode.InvalidArgument, "scenario is empty", new() { UserId = "u1", ItemId = "x" });
        await FailsAsync(StatusCode.InvalidArgument, "item_id is empty", new() { UserId = "u1", Scenario = "home" });
        await FailsAsync(StatusCode.NotFound, "scenario is 'attic'; model m1 has home, kids", new(Request) { Scenario = "attic" });
        await FailsAsync(StatusCode.Internal, "the model fails: not a number", Request);
        Assert.Single(worker.Logs.Warnings("ExplainShow failed"));
        await infrastructure.Database.StringSetAsync(RedisKeys.State("u1"), "rubbish");
        await FailsAsync(StatusCode.FailedPrecondition, "stored bytes are not a UserState", Request);
        await infrastructure.Redis.DisposeAsync();
        await FailsAsync(StatusCode.Unavailable, "Redis does not answer", Request);

        Task FailsAsync(StatusCode code, string message, ExplainShowRequest request) => Eventually.PassAsync(async () =>
        {
            var status = await FailureAsync(worker, request);
            Assert.Equal(code, status.StatusCode);
            Assert.Contains(message, status.Detail, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_port_is_beside_that_of_metrics_and_can_be_off()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        await using var on = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource());
        await using var off = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource(), null, "--Worker:GrpcPort=-1");

        Assert.Equal(200, (await on.GetAsync("/healthz/live")).Status);
        Assert.Equal(200, (await off.GetAsync("/healthz/live")).Status);
        Assert.Single(on.Logs.Information($"listening: http={on.Url} grpc={on.Grpc!.GetLeftPart(UriPartial.Authority)}"));
        Assert.Single(off.Logs.Information($"listening: http={off.Url} grpc=off"));
        Assert.Null(off.Grpc);
    }

    private static async Task<Status> FailureAsync(RunningWorker worker, ExplainShowRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(() => worker.Inspection.ExplainShowAsync(request).ResponseAsync)).Status;
}
