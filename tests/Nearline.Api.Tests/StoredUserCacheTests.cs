using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Nearline.Api.Storage;
using Nearline.Api.Telemetry;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.Api.Tests;

/// <summary>The service with its cache on, long enough that nothing ends by time alone unless a test says so.</summary>
[Collection(RedisCollection.Name)]
public sealed class StoredUserCacheTests(SharedRedis redis) : ApiFixture(redis)
{
    private static readonly (string, object) Minute = ("Api:CacheTtl", "00:01:00");

    internal override (string Key, object Value)[] Settings => [Minute];

    [Fact]
    public async Task From_the_second_call_on_a_user_is_not_read_again_until_the_renewal_is_announced()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        await CacheOf(Api).Listening;
        Assert.Equal("first", (await GetAsync(user)).TriggerEventId);
        Assert.Equal("first", (await GetAsync(user)).TriggerEventId);

        // Nobody announces these, so they are not seen: the cache is at work.
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "second"));
        await Seed.WatchedAsync(user, "s-1");
        var kept = await GetAsync(user);
        Assert.Equal("first", kept.TriggerEventId);
        Assert.Equal(3, kept.Candidates.Count);

        await Seed.AnnounceAsync(user);
        var renewed = await Eventually.GetAsync(() => GetAsync(user), answer => answer.TriggerEventId == "second", "the renewed set");
        Assert.Equal(["s-0", "s-2"], renewed.Candidates.Select(c => c.ItemId));
    }

    [Fact]
    public async Task Filters_variants_and_scenarios_are_applied_to_what_is_kept()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(4));
        await Seed.SetAsync(user, Seeder.Kids, Seeder.Set(2));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(4, (await GetAsync(user)).Candidates.Count);
            Assert.Equal(2, (await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Kids })).Candidates.Count);
            var filtered = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Limit = 2, ExcludeItemIds = { "s-0" } });
            Assert.Equal(["s-1", "s-2"], filtered.Candidates.Select(c => c.ItemId));
            Assert.Equal("", (await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home, Variant = "other" })).Variant);
        }

        Assert.True(await Api.MetricAsync("nearline_api_cache_lookups_total", "outcome=\"hit\"") > 0);
    }

    [Fact]
    public async Task A_stream_is_never_answered_from_it()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "first"));
        await GetAsync(user);
        await GetAsync(user);
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(3, trigger: "second"));

        using var call = Api.Client.WatchCandidates(new() { Request = new() { UserId = user, Scenario = Seeder.Home } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal("second", call.ResponseStream.Current.Response.TriggerEventId);
    }

    [Fact]
    public async Task Nothing_is_served_for_longer_than_said()
    {
        using var cache = await CacheAsync(TimeSpan.FromSeconds(5));
        var clock = cache.Clock;
        cache.Keep("u", 1);
        Assert.True(cache.Cache.TryGet("u", "home", "", out var stored));
        Assert.Equal([1], stored.Set!);

        clock.Advance(TimeSpan.FromSeconds(4.999));
        Assert.True(cache.Cache.TryGet("u", "home", "", out _));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(cache.Cache.TryGet("u", "home", "", out _));
    }

    [Fact]
    public async Task The_time_counts_from_before_the_read()
    {
        using var cache = await CacheAsync(TimeSpan.FromSeconds(5));
        cache.Keep("u", 1);
        var ticket = cache.Cache.Begin("u");
        cache.Clock.Advance(TimeSpan.FromSeconds(4));
        cache.Cache.Put(ticket, "u", "home", "", new StoredUser([2], null, null));
        Assert.True(cache.Cache.TryGet("u", "home", "", out _));

        cache.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(cache.Cache.TryGet("u", "home", "", out _));
    }

    [Fact]
    public async Task What_was_read_before_a_renewal_is_not_served_after_it_though_it_came_later()
    {
        using var cache = await CacheAsync(TimeSpan.FromMinutes(1));
        cache.Keep("u", 1);
        var ticket = cache.Cache.Begin("u");
        cache.Cache.Remove("u");
        cache.Cache.Put(ticket, "u", "home", "", new StoredUser([2], null, null));
        Assert.False(cache.Cache.TryGet("u", "home", "", out _));

        cache.Keep("u", 3);
        Assert.True(cache.Cache.TryGet("u", "home", "", out _));
        cache.Cache.Clear();
        Assert.False(cache.Cache.TryGet("u", "home", "", out _));
    }

    [Fact]
    public async Task It_does_not_grow()
    {
        using var cache = await CacheAsync(TimeSpan.FromMinutes(1), entries: 8);
        for (var i = 0; i < 100; i++)
        {
            cache.Keep($"u{i}", 1);
        }

        Assert.InRange(Enumerable.Range(0, 100).Count(i => cache.Cache.TryGet($"u{i}", "home", "", out _)), 1, 8);
    }

    [Fact]
    public async Task A_lost_connection_empties_it()
    {
        await using var server = await RedisServer.StartAsync();
        using var connection = await ConnectionMultiplexer.ConnectAsync(server.Address + ",abortConnect=false");
        var seed = new Seeder(connection.GetDatabase());
        await seed.FallbacksAsync();
        await seed.SetAsync("u", Seeder.Home, Seeder.Set(3));
        await using var api = await RunningApi.StartReadyAsync(server.Address, Minute);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(CandidateSource.Personalized, (await api.GetAsync(new() { UserId = "u", Scenario = Seeder.Home })).Source);
        }

        await server.KillAsync();
        var answer = await Eventually.GetAsync(
            () => api.GetAsync(new() { UserId = "u", Scenario = Seeder.Home }), a => a.Source != CandidateSource.Personalized, "not from the cache any more");
        Assert.Equal(CandidateSource.ScenarioFallback, answer.Source);
    }

    private Task<GetCandidatesResponse> GetAsync(string user) => Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });

    private static StoredUserCache CacheOf(RunningApi api) => api.Services.GetRequiredService<StoredUserCache>();

    private async Task<ClockedCache> CacheAsync(TimeSpan ttl, int entries = 100) =>
        new(await ConnectionMultiplexer.ConnectAsync(RedisAddress), new ApiOptions { CacheTtl = ttl, CacheEntries = entries });

    private sealed class ClockedCache : IDisposable
    {
        private readonly ConnectionMultiplexer _connection;
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly ApiMetrics _metrics;

        public ClockedCache(ConnectionMultiplexer connection, ApiOptions options)
        {
            _connection = connection;
            _metrics = new ApiMetrics(_services.GetRequiredService<IMeterFactory>());
            Cache = new StoredUserCache(connection, Options.Create(options), _metrics, Clock);
        }

        public StoredUserCache Cache { get; }

        public ManualClock Clock { get; } = new();

        /// <summary>Two reads of the user, since the first leaves nothing.</summary>
        public void Keep(string user, byte set)
        {
            for (var i = 0; i < 2; i++)
            {
                Cache.Put(Cache.Begin(user), user, "home", "", new StoredUser([set], null, null));
            }
        }

        public void Dispose()
        {
            Cache.Dispose();
            _metrics.Dispose();
            _services.Dispose();
            _connection.Dispose();
        }
    }
}
