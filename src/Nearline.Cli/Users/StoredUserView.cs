using Google.Protobuf;
using Nearline.Cli.Console;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Cli.Users;

/// <summary>What is stored of a user.</summary>
/// <param name="State">Null: nothing.</param>
/// <param name="StateBytes">Its size.</param>
/// <param name="Watched">Shows that count as watched.</param>
/// <param name="WatchedBytes">Their size.</param>
/// <param name="Sets">By scenario, those that the state names.</param>
internal sealed record StoredUserView(
    UserState? State, int StateBytes, int Watched, int WatchedBytes, IReadOnlyList<StoredSetView> Sets)
{
    /// <exception cref="CliException">Redis does not answer.</exception>
    public static async Task<StoredUserView> ReadAsync(string redis, string userId)
    {
        try
        {
            using var connection = await ConnectionMultiplexer.ConnectAsync(redis).ConfigureAwait(false);
            var database = connection.GetDatabase();
            byte[]? state = await database.StringGetAsync(RedisKeys.State(userId)).ConfigureAwait(false);
            byte[]? watched = await database.StringGetAsync(RedisKeys.Watched(userId)).ConfigureAwait(false);
            var read = state is null ? null : UserState.Parser.ParseFrom(state);
            var sets = new List<StoredSetView>();
            foreach (var scenario in read?.SetScenarios.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
            {
                var key = RedisKeys.Set(userId, scenario);
                byte[]? set = await database.StringGetAsync(key).ConfigureAwait(false);
                sets.Add(new StoredSetView(
                    scenario,
                    set is null ? null : RetrievalSet.Parser.ParseFrom(set),
                    set?.Length ?? 0,
                    await database.KeyTimeToLiveAsync(key).ConfigureAwait(false)));
            }

            return new StoredUserView(
                read, state?.Length ?? 0, watched is null ? 0 : WatchedShows.Parser.ParseFrom(watched).Hashes.Count, watched?.Length ?? 0, sets);
        }
        catch (Exception e) when (e is RedisException or RedisConnectionException or TimeoutException or ArgumentException)
        {
            throw new CliException($"--redis is '{redis}': {e.Message}");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new CliException($"what is stored of '{userId}' cannot be read: {e.Message}");
        }
    }
}

/// <summary>A stored set.</summary>
/// <param name="Scenario">Of which scenario.</param>
/// <param name="Set">Null: it has expired.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="TimeToLive">Until it expires.</param>
internal sealed record StoredSetView(string Scenario, RetrievalSet? Set, int Bytes, TimeSpan? TimeToLive);
