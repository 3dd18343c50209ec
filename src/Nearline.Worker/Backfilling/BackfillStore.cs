using System.Globalization;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Worker.Backfilling;

/// <summary>
/// The backfill in Redis: what is to be done, how far it is, and which worker does it. The first is written by who asks,
/// the second by the worker, so neither can undo the other's.
/// </summary>
internal sealed class BackfillStore(IConnectionMultiplexer redis)
{
    /// <summary>A worker that says nothing for this long has lost the lease.</summary>
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly RedisValue owner = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);

    /// <summary>Takes the lease or keeps it.</summary>
    public async Task<bool> HoldLeaseAsync(CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        return await database.LockExtendAsync(RedisKeys.BackfillLease, owner, LeaseTime).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false) ||
            await database.LockTakeAsync(RedisKeys.BackfillLease, owner, LeaseTime).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the lease up, so that another worker need not wait for its end.</summary>
    public Task GiveUpLeaseAsync() => redis.GetDatabase().LockReleaseAsync(RedisKeys.BackfillLease, owner).WaitAsync(Timeout);

    /// <summary>What is to be done or was done last; null: nothing ever.</summary>
    public async Task<BackfillJob?> JobAsync(CancellationToken cancellationToken) =>
        await ReadAsync(RedisKeys.Backfill, BackfillJob.Parser, job => job.Schema, cancellationToken).ConfigureAwait(false);

    /// <summary>How far it is.</summary>
    public async Task<BackfillProgress> ProgressAsync(CancellationToken cancellationToken) =>
        await ReadAsync(RedisKeys.BackfillProgress, BackfillProgress.Parser, progress => progress.Schema, cancellationToken).ConfigureAwait(false) ?? new BackfillProgress();

    public Task SaveAsync(BackfillJob job, CancellationToken cancellationToken) =>
        redis.GetDatabase().StringSetAsync(RedisKeys.Backfill, job.ToByteArray()).WaitAsync(Timeout, cancellationToken);

    public Task SaveAsync(BackfillProgress progress, CancellationToken cancellationToken) =>
        redis.GetDatabase().StringSetAsync(RedisKeys.BackfillProgress, progress.ToByteArray()).WaitAsync(Timeout, cancellationToken);

    /// <summary>A value that cannot be read is as good as none: it is written anew.</summary>
    /// <exception cref="NotSupportedException">A newer version wrote it, and knows better what to do.</exception>
    private async Task<T?> ReadAsync<T>(string key, MessageParser<T> parser, Func<T, uint> schemaOf, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        byte[]? value = await redis.GetDatabase().StringGetAsync(key).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
        try
        {
            var read = value is null ? null : parser.ParseFrom(value);
            return read is null || StorageSchema.IsReadable(schemaOf(read))
                ? read
                : throw new NotSupportedException($"{key} cannot be read: {StorageSchema.Refusal(schemaOf(read))}");
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
