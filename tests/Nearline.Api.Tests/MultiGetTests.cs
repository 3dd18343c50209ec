using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed class MultiGetTests(SharedRedis redis) : ApiFixture(redis)
{
    [Fact]
    public async Task One_users_failure_does_not_fail_the_others()
    {
        var (known, watcher) = (Seeder.NewUser(), Seeder.NewUser());
        await Seed.SetAsync(known, Seeder.Home, Seeder.Set(5));
        await Seed.SetAsync(watcher, Seeder.Kids, Seeder.Set(5));
        await Seed.WatchedAsync(watcher, "s-0");

        var response = await Api.Client.MultiGetCandidatesAsync(new()
        {
            Requests =
            {
                new GetCandidatesRequest { UserId = known, Scenario = Seeder.Home, Limit = 2 },
                new GetCandidatesRequest { Scenario = Seeder.Home },
                new GetCandidatesRequest { UserId = watcher, Scenario = Seeder.Kids },
                new GetCandidatesRequest { UserId = known, Scenario = "nowhere" },
                new GetCandidatesRequest { UserId = Seeder.NewUser(), Scenario = Seeder.Kids },
            },
        });

        var statuses = response.Results.Select(result => (StatusCode)result.StatusCode);
        Assert.Equal(
            [StatusCode.OK, StatusCode.InvalidArgument, StatusCode.OK, StatusCode.NotFound, StatusCode.OK], statuses);
        Assert.Equal(["s-0", "s-1"], response.Results[0].Response.Candidates.Select(c => c.ItemId));
        Assert.StartsWith("requests[1].user_id is empty", response.Results[1].StatusMessage, StringComparison.Ordinal);
        Assert.Null(response.Results[1].Response);
        Assert.Equal(["s-1", "s-2", "s-3", "s-4"], response.Results[2].Response.Candidates.Select(c => c.ItemId));
        Assert.Contains("'nowhere'", response.Results[3].StatusMessage, StringComparison.Ordinal);
        Assert.Equal(CandidateSource.ScenarioFallback, response.Results[4].Response.Source);
    }

    [Fact]
    public async Task Two_hundred_users_are_answered_in_their_order()
    {
        var users = Enumerable.Range(0, 200).Select(_ => Seeder.NewUser()).ToArray();
        await Task.WhenAll(users.Select((user, i) => Seed.SetAsync(user, Seeder.Home, Seeder.Set(5, trigger: user))));
        var request = new MultiGetCandidatesRequest();
        request.Requests.Add(users.Select(user => new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home }));

        var response = await Api.Client.MultiGetCandidatesAsync(request);

        Assert.Equal(users, response.Results.Select(result => result.Response.TriggerEventId));
        await Api.HasMetricAsync(1, "nearline_api_redis_duration_seconds_count", "operation=\"multi_get\"");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task None_and_too_many_are_refused(int count)
    {
        var request = new MultiGetCandidatesRequest();
        request.Requests.Add(Enumerable.Range(0, count).Select(_ => new GetCandidatesRequest { UserId = "u", Scenario = "home" }));

        var status = await Rpc.FailureAsync(() => Api.Client.MultiGetCandidatesAsync(request).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.Equal($"requests has {count} entries; it must have 1 to 200", status.Detail);
    }
}
