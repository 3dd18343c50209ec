using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using StackExchange.Redis;

namespace Nearline.Api.Storage;

/// <summary>Reads users' sets and watched shows. Both keys of a user share a slot, so one MGET fetches them.</summary>
internal sealed class CandidateStore(RedisGuard guard, StoredUserCache cache)
{
    /// <summary>One user, in one round trip.</summary>
    /// <exception cref="RedisTroubleException">Redis did not answer.</exception>
    public ValueTask<StoredUser> ReadAsync(
        string userId, string scenario, string variant, CancellationToken cancellationToken) =>
        guard.ReadAsync(
            "get",
            static (database, asked) => ReadOneAsync(database, asked.userId, asked.scenario, asked.variant),
            (userId, scenario, variant),
            cancellationToken);

    /// <summary>
    /// The same, or what was read of the user at most <see cref="ApiOptions.CacheTtl"/> ago and not announced to be renewed
    /// since.
    /// </summary>
    /// <exception cref="RedisTroubleException">Redis did not answer.</exception>
    public ValueTask<StoredUser> ReadRecentAsync(
        string userId, string scenario, string variant, CancellationToken cancellationToken) =>
        cache.TryGet(userId, scenario, variant, out var stored)
            ? new ValueTask<StoredUser>(stored)
            : ReadAndKeepAsync(userId, scenario, variant, cancellationToken);

    /// <summary>Many users, in one pipelined round trip; as many results as requests, in their order.</summary>
    /// <exception cref="RedisTroubleException">Redis did not answer.</exception>
    public ValueTask<StoredUser[]> ReadManyAsync(
        IReadOnlyList<GetCandidatesRequest> requests, CancellationToken cancellationToken) =>
        guard.ReadAsync("multi_get", ReadAllAsync, requests, cancellationToken);

    private ValueTask<StoredUser> ReadAndKeepAsync(
        string userId, string scenario, string variant, CancellationToken cancellationToken)
    {
        return cache.IsOn ? KeepAsync(cache.Begin(userId)) : ReadAsync(userId, scenario, variant, cancellationToken);

        async ValueTask<StoredUser> KeepAsync(StoredUserCache.Ticket ticket)
        {
            var stored = await ReadAsync(userId, scenario, variant, cancellationToken);
            cache.Put(ticket, userId, scenario, variant, stored);
            return stored;
        }
    }

    private static Task<StoredUser[]> ReadAllAsync(IDatabase database, IReadOnlyList<GetCandidatesRequest> requests)
    {
        // The users' keys lie in different cluster slots, where one MGET could not go; a batch is sent in one piece.
        var batch = database.CreateBatch();
        var reads = new Task<StoredUser>[requests.Count];
        for (var i = 0; i < reads.Length; i++)
        {
            reads[i] = ReadOneAsync(batch, requests[i].UserId, requests[i].Scenario, requests[i].Variant);
        }

        batch.Execute();
        return Task.WhenAll(reads);
    }

    private static async Task<StoredUser> ReadOneAsync(IDatabaseAsync database, string userId, string scenario, string variant)
    {
        RedisKey[] keys = variant.Length == 0
            ? [RedisKeys.Set(userId, scenario), RedisKeys.Watched(userId)]
            : [RedisKeys.Set(userId, scenario), RedisKeys.Watched(userId), RedisKeys.Set(userId, scenario, variant)];
        var values = await database.StringGetAsync(keys);
        return new StoredUser(values[0], values.Length > 2 ? values[2] : default, values[1]);
    }
}
