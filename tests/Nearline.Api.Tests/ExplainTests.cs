using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed class ExplainTests(SharedRedis redis) : ApiFixture(redis)
{
    [Fact]
    public async Task A_served_show_has_rank_and_scores()
    {
        var response = await ExplainAsync(await UserAsync(), Seeder.Home, "s-3");

        Assert.True(response.Served);
        Assert.Equal(4, response.Rank);
        Assert.Equal(new Candidate { ItemId = "s-3", Score = 97, IdScore = 57, CgScore = 40 }, response.Candidate);
        Assert.Equal(CandidateSource.Personalized, response.Source);
        Assert.Equal(Seeder.ModelVersion, response.ModelVersion);
        Assert.Contains("number 4 of 10", response.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watched_show_is_ranked_but_not_served()
    {
        var response = await ExplainAsync(await UserAsync("s-2"), Seeder.Home, "s-2");

        Assert.Equal((false, true, 3), (response.Served, response.Watched, response.Rank));
        Assert.Contains("has watched it", response.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_show_outside_the_set_has_no_rank()
    {
        var response = await ExplainAsync(await UserAsync(), Seeder.Home, "other");

        Assert.Equal((false, false, 0), (response.Served, response.Watched, response.Rank));
        Assert.Null(response.Candidate);
        Assert.Contains("below the last of its 10 shows", response.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_set_the_fallback_list_is_explained()
    {
        var own = await ExplainAsync(Seeder.NewUser(), Seeder.Kids, "kids-1");
        var everywhere = await ExplainAsync(Seeder.NewUser(), Seeder.Listless, "all-9");

        Assert.Equal((CandidateSource.ScenarioFallback, 2, true), (own.Source, own.Rank, own.Served));
        Assert.Equal((CandidateSource.GlobalFallback, 10, true), (everywhere.Source, everywhere.Rank, everywhere.Served));
    }

    [Theory]
    [InlineData("", "home", "x", StatusCode.InvalidArgument, "user_id is empty")]
    [InlineData("u", "", "x", StatusCode.InvalidArgument, "scenario is empty")]
    [InlineData("u", "home", "", StatusCode.InvalidArgument, "item_id is empty")]
    [InlineData("u", "nowhere", "x", StatusCode.NotFound, "'nowhere'")]
    public async Task Bad_requests_are_refused(string user, string scenario, string item, StatusCode code, string message)
    {
        var status = await Rpc.FailureAsync(() => ExplainAsync(user, scenario, item));

        Assert.Equal(code, status.StatusCode);
        Assert.Contains(message, status.Detail, StringComparison.Ordinal);
    }

    private async Task<string> UserAsync(params string[] watched)
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(10));
        await Seed.WatchedAsync(user, watched);
        return user;
    }

    private Task<ExplainCandidateResponse> ExplainAsync(string user, string scenario, string item) =>
        Api.Client.ExplainCandidateAsync(new() { UserId = user, Scenario = scenario, ItemId = item }).ResponseAsync;
}
