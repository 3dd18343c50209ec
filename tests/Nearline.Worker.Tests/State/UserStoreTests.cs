using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.LocalServers.Redis;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;
using StackExchange.Redis;

namespace Nearline.Worker.Tests.State;

public sealed class UserStoreOnRedisTests() : UserStoreTests(RedisServerKind.Redis);

public sealed class UserStoreOnGarnetTests() : UserStoreTests(RedisServerKind.Garnet);

public abstract class UserStoreTests(RedisServerKind kind) : IAsyncLifetime
{
    private RedisServer redis = null!;
    private ConnectionMultiplexer connection = null!;
    private UserStore store = null!;

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync(new RedisServerOptions { Kind = kind });
        connection = await ConnectionMultiplexer.ConnectAsync(redis.Address);
        store = new UserStore(connection, TimeSpan.FromHours(2), TimeSpan.FromHours(1));
    }

    public async Task DisposeAsync()
    {
        connection.Dispose();
        await redis.DisposeAsync();
    }

    [Fact]
    public async Task State_watched_and_sets_are_written_together_with_their_ttls_and_announced()
    {
        var announced = new TaskCompletionSource<string>();
        await connection.GetSubscriber().SubscribeAsync(
            new RedisChannel(RedisKeys.Renewed("u1"), RedisChannel.PatternMode.Literal), (_, message) => announced.TrySetResult(message!));
        var user = Folded("u1", null, Watch("u1", "film-1", 0), Watch("u1", "film-1", 1), Watch("u1", "film-2", 2));

        Assert.True(Assert.Single(await store.WriteAsync([WriteOf(user, [], ["home", "kids"])], default)));

        var database = connection.GetDatabase();
        Assert.Equal("m1", await announced.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(1UL, UserState.Parser.ParseFrom((byte[])(await database.StringGetAsync(RedisKeys.State("u1")))!).Revision);
        Assert.Equal([StableHash.Of("film-1")], WatchedShows.Parser.ParseFrom((byte[])(await database.StringGetAsync(RedisKeys.Watched("u1")))!).Hashes);
        Assert.Equal("kids", RetrievalSet.Parser.ParseFrom((byte[])(await database.StringGetAsync(RedisKeys.Set("u1", "kids")))!).ModelVersion);
        foreach (var (key, hours) in new[] { (RedisKeys.State("u1"), 2), (RedisKeys.Watched("u1"), 2), (RedisKeys.Set("u1", "home"), 1) })
        {
            var ttl = await database.KeyTimeToLiveAsync(key);
            Assert.InRange(ttl!.Value, TimeSpan.FromHours(hours) - TimeSpan.FromMinutes(1), TimeSpan.FromHours(hours));
        }
    }

    [Fact]
    public async Task Of_two_writers_one_is_refused_and_after_a_reload_both_events_count_once()
    {
        var first = Folded("u1", null, Watch("u1", "film-1", 0, partition: 0));
        var second = Folded("u1", null, Watch("u1", "film-2", 0, partition: 1));

        Assert.True(Assert.Single(await store.WriteAsync([WriteOf(first, [], ["home"])], default)));
        Assert.False(Assert.Single(await store.WriteAsync([WriteOf(second, [], ["kids"])], default)));
        Assert.False(await connection.GetDatabase().KeyExistsAsync(RedisKeys.Set("u1", "kids")));

        var stored = (await store.LoadAsync(["u1"], default))[0];
        var again = Folded("u1", stored, Watch("u1", "film-1", 0, partition: 0), Watch("u1", "film-2", 0, partition: 1));
        Assert.True(Assert.Single(await store.WriteAsync([WriteOf(again, stored![..9], ["kids"])], default)));

        var final = UserStateMapper.FromBytes("u1", (await store.LoadAsync(["u1"], default))[0]!, 128);
        Assert.Equal(2UL, final.Revision);
        Assert.All(final.History.Behaviours, b => Assert.Equal(60, b.PlayedSeconds));
        Assert.Equal(["film-1", "film-2"], final.History.Behaviours.Select(b => b.ShowId).Order());
    }

    [Fact]
    public async Task Many_writers_of_many_users_lose_nothing()
    {
        string[] users = [.. Enumerable.Range(0, 5).Select(i => $"u{i}")];
        async Task WriterAsync(int partition)
        {
            for (var offset = 0; offset < 10; offset++)
            {
                var pending = users.ToList();
                while (pending.Count > 0)
                {
                    var stored = await store.LoadAsync(pending, default);
                    var writes = pending.Select((u, i) => WriteOf(
                        Folded(u, stored[i], Watch(u, "film-1", offset, partition)), stored[i] is null ? [] : stored[i]![..9], ["home"])).ToList();
                    var done = await store.WriteAsync(writes, default);
                    pending = [.. pending.Where((_, i) => !done[i])];
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(WriterAsync));

        var final = await store.LoadAsync(users, default);
        Assert.All(users.Zip(final), user =>
        {
            var read = UserStateMapper.FromBytes(user.First, user.Second!, 128);
            Assert.Equal(40UL, read.Revision);
            Assert.Equal(40 * 60, Assert.Single(read.History.Behaviours).PlayedSeconds);
        });
    }

    [Fact]
    public async Task Sets_that_are_no_longer_served_and_watched_shows_of_a_deleted_user_go_away()
    {
        var user = Folded("u1", null, Watch("u1", "film-1", 0), Watch("u1", "film-1", 1));
        await store.WriteAsync([WriteOf(user, [], ["home", "kids"])], default);
        var stored = (await store.LoadAsync(["u1"], default))[0]!;
        var deleted = Folded("u1", stored, new UserEventRecord("u1", new(ActionKind.DeleteUser, Records.Now), "d", null, "t", 0, 2));
        await store.WriteAsync([WriteOf(deleted, stored[..9], []) with { Removed = [("home", ""), ("kids", "")] }], default);

        var database = connection.GetDatabase();
        Assert.True(await database.KeyExistsAsync(RedisKeys.State("u1")));
        Assert.False(await database.KeyExistsAsync(RedisKeys.Watched("u1")));
        Assert.False(await database.KeyExistsAsync(RedisKeys.Set("u1", "home")));
        Assert.False(await database.KeyExistsAsync(RedisKeys.Set("u1", "kids")));
    }

    [Fact]
    public async Task Server_that_forgot_the_script_is_told_it_again()
    {
        await store.WriteAsync([WriteOf(Folded("u1", null, Watch("u1", "film-1", 0)), [], ["home"])], default);
        await redis.RestartAsync();
        await Eventually.PassAsync(async () => Assert.True(Assert.Single(
            await store.WriteAsync([WriteOf(Folded("u2", null, Watch("u2", "film-1", 0)), [], ["home"])], default))));
    }

    [Fact]
    public async Task Absent_users_load_as_nothing_in_the_right_places()
    {
        await store.WriteAsync([WriteOf(Folded("u1", null, Watch("u1", "film-1", 0)), [], [])], default);

        var loaded = await store.LoadAsync(["u0", "u1", "u2"], default);

        Assert.Equal([false, true, false], loaded.Select(l => l is not null));
    }

    private static UserEventRecord Watch(string userId, string showId, long offset, int partition = 0) => new(
        userId,
        new(ActionKind.Watch, Records.Now) { ShowId = showId, Played = TimeSpan.FromMinutes(1) },
        "e",
        null,
        "t",
        partition,
        offset);

    private static StoredUser Folded(string userId, byte[]? stored, params UserEventRecord[] events)
    {
        var user = stored is null ? StoredUser.New(userId, 128) : UserStateMapper.FromBytes(userId, stored, 128);
        foreach (var e in events)
        {
            user.Fold(e);
        }

        return user;
    }

    private static UserWrite WriteOf(StoredUser user, byte[] expected, string[] scenarios) => new(
        user.UserId,
        expected,
        UserStateMapper.ToMessage(user, Records.Now),
        RetrievalSetMapper.Watched(user.History),
        [.. scenarios.Select(s => new StoredSet(s, "", new RetrievalSet { ModelVersion = s }))],
        [],
        "m1");
}
