using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Tests;

[Collection(RedisCollection.Name)]
public sealed class GetCandidatesTests(SharedRedis redis) : ApiFixture(redis)
{
    [Fact]
    public async Task Serves_the_users_own_set_with_scores_and_origin()
    {
        var user = Seeder.NewUser();
        var set = Seeder.Set(30, TimeSpan.FromSeconds(90));
        await Seed.SetAsync(user, Seeder.Home, set);

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });

        Assert.Equal(CandidateSource.Personalized, response.Source);
        Assert.Equal(set.ShowIds, response.Candidates.Select(c => c.ItemId));
        Assert.Equal(set.Scores, response.Candidates.Select(c => c.Score));
        Assert.Equal(set.IdScores, response.Candidates.Select(c => c.IdScore));
        Assert.All(response.Candidates, c => Assert.Equal(c.Score, c.IdScore + c.CgScore, 1e-4f));
        Assert.Equal(set.ModelVersion, response.ModelVersion);
        Assert.Equal(set.GeneratedAt, response.GeneratedAt);
        Assert.Equal(set.TriggerEventId, response.TriggerEventId);
        Assert.Equal(set.TriggerEventTime, response.TriggerEventTime);
        Assert.InRange(response.Age.ToTimeSpan(), TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(150));
    }

    [Fact]
    public async Task Serves_the_set_of_an_experiment_and_to_who_has_none_the_default_set()
    {
        var (user, other, stranger) = (Seeder.NewUser(), Seeder.NewUser(), Seeder.NewUser());
        var tried = Seeder.Set(5, trigger: "event-2");
        tried.ModelVersion = "m5-tried";
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(30));
        await Seed.SetAsync(other, Seeder.Home, Seeder.Set(30));
        await Seed.StoreAsync(RedisKeys.Set(user, Seeder.Home, "bold"), tried);
        await Seed.WatchedAsync(user, "s-0");

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Variant = "bold" });
        Assert.Equal(("bold", "m5-tried", "event-2"), (response.Variant, response.ModelVersion, response.TriggerEventId));
        Assert.Equal(["s-1", "s-2", "s-3", "s-4"], response.Candidates.Select(c => c.ItemId));
        Assert.Equal(CandidateSource.Personalized, response.Source);
        var explained = await Api.Client.ExplainCandidateAsync(
            new() { UserId = user, Scenario = Seeder.Home, ItemId = "s-9", Variant = "bold" });
        Assert.Equal(("bold", 0), (explained.Variant, explained.Rank));
        Assert.Contains("the user's own set of experiment 'bold'", explained.Reason, StringComparison.Ordinal);

        foreach (var (who, variant) in new[] { (user, ""), (user, "calm"), (other, "bold") })
        {
            response = await Api.GetAsync(new() { UserId = who, Scenario = Seeder.Home, Variant = variant });
            Assert.Equal(("", Seeder.ModelVersion), (response.Variant, response.ModelVersion));
            Assert.Equal(CandidateSource.Personalized, response.Source);
        }

        response = await Api.GetAsync(new() { UserId = stranger, Scenario = Seeder.Home, Variant = "bold" });
        Assert.Equal(("", CandidateSource.ScenarioFallback), (response.Variant, response.Source));

        // A damaged set of an experiment is as good as none.
        await Seed.Database.StringSetAsync(RedisKeys.Set(other, Seeder.Home, "bold"), "junk");
        response = await Api.GetAsync(new() { UserId = other, Scenario = Seeder.Home, Variant = "bold" });
        Assert.Equal(("", 30), (response.Variant, response.Candidates.Count));
    }

    [Fact]
    public async Task Leaves_out_watched_excluded_and_other_categories()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(12));
        await Seed.WatchedAsync(user, "s-0", "s-4", "elsewhere");

        var response = await Api.GetAsync(new()
        {
            UserId = user,
            Scenario = Seeder.Home,
            ExcludeItemIds = { "s-3", "s-3", "nothing" },
            Categories = { ShowCategory.Series, ShowCategory.Movie },
        });

        Assert.Equal(["s-1", "s-6", "s-7", "s-9", "s-10"], response.Candidates.Select(c => c.ItemId));
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    [InlineData(1000, 20)]
    public async Task Cuts_at_the_limit_after_filtering(int limit, int expected)
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(25));
        await Seed.WatchedAsync(user, "s-0", "s-1", "s-2", "s-3", "s-4");

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Limit = limit });

        Assert.Equal(Enumerable.Range(5, expected).Select(i => $"s-{i}"), response.Candidates.Select(c => c.ItemId));
    }

    [Fact]
    public async Task A_set_older_than_max_age_is_served_as_stale()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, TimeSpan.FromMinutes(10)));

        var stale = await Api.GetAsync(
            new() { UserId = user, Scenario = Seeder.Home, MaxAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) });
        var fresh = await Api.GetAsync(
            new() { UserId = user, Scenario = Seeder.Home, MaxAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(15)) });

        Assert.Equal((CandidateSource.Stale, 3), (stale.Source, stale.Candidates.Count));
        Assert.Equal((CandidateSource.Personalized, 3), (fresh.Source, fresh.Candidates.Count));
    }

    [Fact]
    public async Task A_set_from_the_future_has_no_negative_age()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, TimeSpan.FromMinutes(-10)));

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, MaxAge = new Duration() });

        Assert.Equal(TimeSpan.Zero, response.Age.ToTimeSpan());
        Assert.Equal(CandidateSource.Personalized, response.Source);
    }

    [Fact]
    public async Task A_miss_gets_the_scenarios_list_without_watched_shows()
    {
        var user = Seeder.NewUser();
        await Seed.WatchedAsync(user, "home-0", "home-2");

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Limit = 3 });

        Assert.Equal(CandidateSource.ScenarioFallback, response.Source);
        Assert.Equal(["home-1", "home-3", "home-4"], response.Candidates.Select(c => c.ItemId));
        Assert.Equal(999, response.Candidates[0].Score);
        Assert.All(response.Candidates, c => Assert.Equal((0f, 0f), (c.IdScore, c.CgScore)));
        Assert.Equal(Seeder.ModelVersion, response.ModelVersion);
        Assert.InRange(response.Age.ToTimeSpan(), TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(8));
        Assert.Null(response.TriggerEventTime);
    }

    [Fact]
    public async Task A_miss_in_a_scenario_without_a_list_gets_the_list_of_all()
    {
        var response = await Api.GetAsync(new()
        {
            UserId = Seeder.NewUser(),
            Scenario = Seeder.Listless,
            Categories = { ShowCategory.Live },
            ExcludeItemIds = { "all-2" },
        });

        Assert.Equal(CandidateSource.GlobalFallback, response.Source);
        Assert.Equal(["all-5", "all-8", "all-11", "all-14", "all-17"], response.Candidates.Select(c => c.ItemId));
    }

    [Fact]
    public async Task Answers_do_not_change_each_other()
    {
        // Fallback candidates are shared between answers.
        var request = new GetCandidatesRequest { UserId = Seeder.NewUser(), Scenario = Seeder.Kids };
        var first = await Api.GetAsync(request);
        var second = await Api.GetAsync(new(request) { Limit = 2 });
        var third = await Api.GetAsync(request);

        Assert.Equal(2, second.Candidates.Count);
        Assert.Equal(first.Candidates, third.Candidates);
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("columns")]
    public async Task A_set_that_cannot_be_decoded_counts_as_a_miss(string kind)
    {
        var user = Seeder.NewUser();
        var broken = Seeder.Set(5);
        broken.Scores.RemoveAt(4);
        var bytes = kind == "junk" ? "not protobuf \xFF\xFF"u8.ToArray() : broken.ToByteArray();
        await Seed.Database.StringSetAsync(RedisKeys.Set(user, Seeder.Home), bytes);

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });

        Assert.Equal(CandidateSource.ScenarioFallback, response.Source);
        Assert.NotEqual(0, await Api.MetricAsync("nearline_api_stored_unreadable_total", "kind=\"set\""));
    }

    [Fact]
    public async Task An_unknown_scenario_is_not_found_and_the_known_ones_are_named()
    {
        var status = await Rpc.FailureAsync(() =>
            Api.GetAsync(new() { UserId = Seeder.NewUser(), Scenario = "vod-lunar" }));

        Assert.Equal(StatusCode.NotFound, status.StatusCode);
        Assert.Contains("'vod-lunar'", status.Detail, StringComparison.Ordinal);
        Assert.Contains("home, kids, listless", status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scenarios_are_listed()
    {
        var response = await Api.Client.ListScenariosAsync(new());

        Assert.Equal([Seeder.Home, Seeder.Kids, Seeder.Listless], response.Scenarios);
        Assert.Equal(Seeder.ModelVersion, response.ModelVersion);
    }

    public static TheoryData<string, string> Invalid { get; } = new()
    {
        { """{"scenario":"home"}""", "user_id is empty" },
        { $$"""{"userId":"{{new string('u', 257)}}","scenario":"home"}""", "257 bytes; it must be at most 256 bytes" },
        { $$"""{"userId":"{{string.Concat(Enumerable.Repeat("\u00e9", 129))}}","scenario":"home"}""", "258 bytes" },
        { """{"userId":"a{b","scenario":"home"}""", "user_id is 'a{b'; it must contain neither '{' nor '}'" },
        { """{"userId":"a}","scenario":"home"}""", "user_id is 'a}'" },
        { """{"userId":"u"}""", "scenario is empty; it must be one of those that ListScenarios names" },
        { """{"userId":"u","scenario":"home","limit":-1}""", "limit is -1; it must be 1 to 1000, or 0" },
        { """{"userId":"u","scenario":"home","limit":1001}""", "limit is 1001" },
        { """{"userId":"u","scenario":"home","categories":[1,0]}""", "categories[1] is 0; it must be 1 (series)" },
        { """{"userId":"u","scenario":"home","categories":[9]}""", "categories[0] is 9" },
        { """{"userId":"u","scenario":"home","variant":"Bold one"}""", "variant is 'Bold one'; it must be the name of an experiment" },
        { """{"userId":"u\ufffd","scenario":"home"}""", "which is not valid UTF-8; it must be the id of a user" },
        { """{"userId":"a\u001b{b","scenario":"home"}""", "user_id is 'a?{b'" },
        { """{"userId":"u","scenario":"home","excludeItemIds":["a",""]}""", "exclude_item_ids[1] is empty; it must be the id of a show" },
        { $$"""{"userId":"u","scenario":"home","excludeItemIds":["{{new string('x', 300)}}"]}""", "exclude_item_ids[0] is 'xxx" },
        { $$"""{"userId":"u","scenario":"home","categories":[{{string.Join(',', Enumerable.Repeat(1, 17))}}]}""", "categories has 17 entries; at most 16" },
        { """{"userId":"u","scenario":"home","maxAge":"-5s"}""", "max_age is -5 seconds" },
        { """{"userId":"u","scenario":"home","maxAge":"-0.5s"}""", "max_age is 0 seconds and -500000000 nanos" },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task Bad_requests_are_told_field_value_and_what_would_be_right(string json, string message)
    {
        var status = await Rpc.FailureAsync(() => Api.GetAsync(GetCandidatesRequest.Parser.ParseJson(json)));

        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.Contains(message, status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_most_a_thousand_shows_can_be_excluded()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(500));
        var request = new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home };
        request.ExcludeItemIds.Add(Enumerable.Range(0, 1000).Select(i => $"s-{i}"));

        Assert.Empty((await Api.GetAsync(request)).Candidates);

        request.ExcludeItemIds.Add("one more");
        var status = await Rpc.FailureAsync(() => Api.GetAsync(request));
        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.Contains("exclude_item_ids has 1001 entries; at most 1000", status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_of_many_bytes_work()
    {
        var user = string.Concat(Enumerable.Repeat("\u00e9", 128));
        var set = new RetrievalSet { ShowIds = { "\u756a\u7d44 \ud83c\udfac" }, Scores = { 1 }, IdScores = { 0.25f } };
        await Seed.SetAsync(user, Seeder.Home, set);

        var response = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });

        Assert.Equal(set.ShowIds, response.Candidates.Select(c => c.ItemId));
        Assert.Null(response.Age);
    }
}
