using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Api.Tests.Support;

/// <summary>Writes to Redis what a worker would.</summary>
internal sealed class Seeder(IDatabase database)
{
    public const string ModelVersion = "m5-test-1";

    /// <summary>A scenario with a fallback list of shows home-0 to home-9.</summary>
    public const string Home = "home";

    /// <summary>A scenario with a fallback list of shows kids-0 to kids-4.</summary>
    public const string Kids = "kids";

    /// <summary>A scenario that has no list of its own.</summary>
    public const string Listless = "listless";

    private static int _users;

    public IDatabase Database => database;

    /// <summary>A user id that no other test has.</summary>
    public static string NewUser() => $"user-{Interlocked.Increment(ref _users)}";

    public async Task FallbacksAsync()
    {
        await StoreAsync(RedisKeys.PopularIn(Home), Fallback("home", 10));
        await StoreAsync(RedisKeys.PopularIn(Kids), Fallback("kids", 5));
        await StoreAsync(RedisKeys.Popular, Fallback("all", 20));
        await StoreAsync(
            RedisKeys.Scenarios,
            new ScenarioDirectory { ModelVersion = ModelVersion, Scenarios = { Home, Kids, Listless } });
    }

    public static RetrievalSet Fallback(string prefix, int count)
    {
        var set = new RetrievalSet
        {
            ModelVersion = ModelVersion,
            GeneratedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow - TimeSpan.FromMinutes(3)),
        };
        for (var i = 0; i < count; i++)
        {
            set.ShowIds.Add($"{prefix}-{i}");
            set.Scores.Add(1000 - i);
        }

        set.Categories = ByteString.CopyFrom([.. Enumerable.Range(0, count).Select(i => (byte)(i % 3 + 1))]);
        return set;
    }

    /// <summary>A personal set of shows s-0, s-1, ...; categories go round from series over movie to live.</summary>
    public static RetrievalSet Set(int count, TimeSpan age = default, string trigger = "event-1")
    {
        var made = DateTimeOffset.UtcNow - age;
        var set = new RetrievalSet
        {
            ModelVersion = ModelVersion,
            GeneratedAt = Timestamp.FromDateTimeOffset(made),
            TriggerEventId = trigger,
            TriggerEventTime = Timestamp.FromDateTimeOffset(made - TimeSpan.FromSeconds(1)),
        };
        for (var i = 0; i < count; i++)
        {
            set.ShowIds.Add($"s-{i}");
            set.Scores.Add(100f - i);
            set.IdScores.Add(60f - i);
        }

        set.Categories = ByteString.CopyFrom([.. Enumerable.Range(0, count).Select(i => (byte)CategoryOf(i))]);
        return set;
    }

    public static ShowCategory CategoryOf(int index) => (ShowCategory)(index % 3 + 1);

    public Task SetAsync(string user, string scenario, RetrievalSet set) => StoreAsync(RedisKeys.Set(user, scenario), set);

    public Task WatchedAsync(string user, params string[] shows) =>
        StoreAsync(RedisKeys.Watched(user), new WatchedShows { Hashes = { shows.Select(StableHash.Of).Order() } });

    /// <summary>Stores a renewed set and announces it, as the worker does.</summary>
    public async Task RenewAsync(string user, string scenario, RetrievalSet set)
    {
        await SetAsync(user, scenario, set);
        await AnnounceAsync(user);
    }

    public Task<long> AnnounceAsync(string user) => database.PublishAsync(
        new RedisChannel(RedisKeys.Renewed(user), RedisChannel.PatternMode.Literal), ModelVersion);

    public Task StoreAsync(string key, IMessage message) => database.StringSetAsync(key, message.ToByteArray());
}
