using Google.Protobuf;
using Nearline.Contracts;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

namespace Nearline.Worker.State;

/// <summary>Users' states and sets in Redis. Each call is one round trip, however many users it is for.</summary>
/// <remarks>The client itself may wait for as long as a connection looks alive: callers bound the time of a call.</remarks>
/// <param name="redis">The connection.</param>
/// <param name="stateTtl">How long a state outlives its last write.</param>
/// <param name="setTtl">How long a set does.</param>
/// <param name="keyPrefix">What comes before every key; where there is one, renewals are not announced.</param>
internal sealed class UserStore(IConnectionMultiplexer redis, TimeSpan stateTtl, TimeSpan setTtl, string keyPrefix = "")
{
    private readonly RedisValue stateTtlMs = (long)stateTtl.TotalMilliseconds;
    private readonly RedisValue setTtlMs = (long)setTtl.TotalMilliseconds;

    /// <summary>The stored states, in the order of the users; null where there is none.</summary>
    public async Task<byte[]?[]> LoadAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase().WithKeyPrefix(keyPrefix);
        var reads = new Task<RedisValue>[userIds.Count];
        for (var i = 0; i < reads.Length; i++)
        {
            // Commands on one connection are pipelined. MGET would not do: the users' keys live in different slots.
            reads[i] = database.StringGetAsync(RedisKeys.State(userIds[i]));
        }

        var values = await Task.WhenAll(reads).WaitAsync(cancellationToken).ConfigureAwait(false);
        return Array.ConvertAll(values, value => value.IsNull ? null : (byte[]?)value);
    }

    /// <summary>
    /// Writes each user's state, watched shows and sets, atomically by user.
    /// </summary>
    /// <returns>In the order of the writes, whether it was done: false when the stored state was not the expected one.</returns>
    /// <exception cref="RedisException">At least one write failed or may have failed.</exception>
    /// <exception cref="OperationCanceledException">
    /// The caller gave up; writes may have been done. To repeat them is harmless, since their revisions have moved on.
    /// </exception>
    public async Task<bool[]> WriteAsync(IReadOnlyList<UserWrite> writes, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase().WithKeyPrefix(keyPrefix);
        var running = new Task<bool>[writes.Count];
        for (var i = 0; i < running.Length; i++)
        {
            running[i] = WriteAsync(database, writes[i]);
        }

        return await Task.WhenAll(running).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> WriteAsync(IDatabase database, UserWrite write)
    {
        var keys = new RedisKey[2 + write.Sets.Count + write.Removed.Count];
        var values = new RedisValue[8 + write.Sets.Count];
        keys[0] = RedisKeys.State(write.UserId);
        keys[1] = RedisKeys.Watched(write.UserId);
        values[0] = write.ExpectedRevision;
        values[1] = write.State.ToByteArray();
        values[2] = stateTtlMs;
        values[3] = write.Watched?.ToByteArray() ?? [];
        values[4] = setTtlMs;
        values[5] = write.Announcement.Length == 0 || keyPrefix.Length > 0 ? "" : RedisKeys.Renewed(write.UserId);
        values[6] = write.Announcement;
        values[7] = write.Sets.Count;
        for (var i = 0; i < write.Sets.Count; i++)
        {
            keys[2 + i] = RedisKeys.Set(write.UserId, write.Sets[i].Scenario, write.Sets[i].Variant);
            values[8 + i] = write.Sets[i].Set.ToByteArray();
        }

        for (var i = 0; i < write.Removed.Count; i++)
        {
            keys[2 + write.Sets.Count + i] = RedisKeys.Set(write.UserId, write.Removed[i].Scenario, write.Removed[i].Variant);
        }

        try
        {
            return (bool)await database.ScriptEvaluateAsync(WriteScript.Hash, keys, values).ConfigureAwait(false);
        }
        catch (RedisServerException e) when (e.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // The server does not know the script: it is new, or was restarted. EVAL runs and remembers it.
            var arguments = new List<object>(2 + keys.Length + values.Length) { WriteScript.Text, keys.Length };
            arguments.AddRange(keys.Cast<object>());
            arguments.AddRange(values.Cast<object>());
            return (bool)await database.ExecuteAsync("EVAL", arguments).ConfigureAwait(false);
        }
    }
}
