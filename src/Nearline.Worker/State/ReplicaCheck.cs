using System.Buffers.Binary;
using Nearline.Contracts;
using StackExchange.Redis;

namespace Nearline.Worker.State;

/// <summary>
/// Whether states have reached a replica. Redis replicates asynchronously: a master that dies takes with it what it has
/// acknowledged and not yet sent, and the replica that is promoted knows nothing of it. A state's revision grows with each
/// write, so a replica that shows the revision has the write.
/// </summary>
/// <param name="redis">The connection.</param>
internal sealed class ReplicaCheck(IConnectionMultiplexer redis)
{
    /// <summary><c>DemandReplica</c>, which has other names in other versions of the client.</summary>
    private const CommandFlags OnReplica = (CommandFlags)12;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until replicas have the states.</summary>
    /// <param name="states">Users and the revisions that were written or read.</param>
    /// <param name="cancellationToken">Gives up: the states may or may not be there.</param>
    /// <returns>The users whose state is gone from the master too, as after a failover: they are to be done again.</returns>
    /// <exception cref="RedisException">A server does not answer, or there is no replica.</exception>
    public async Task<IReadOnlySet<string>> LostAsync(IReadOnlyList<(string UserId, ulong Revision)> states, CancellationToken cancellationToken)
    {
        var lost = new HashSet<string>(StringComparer.Ordinal);
        var left = states;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            left = await OlderAsync(left, OnReplica, cancellationToken).ConfigureAwait(false);
            if (left.Count == 0)
            {
                return lost;
            }

            var gone = await OlderAsync(left, CommandFlags.DemandMaster, cancellationToken).ConfigureAwait(false);
            lost.UnionWith(gone.Select(state => state.UserId));
            left = [.. left.Where(state => !lost.Contains(state.UserId))];
            if (left.Count == 0)
            {
                return lost;
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Those that the asked servers have only in an older revision, or not at all.</summary>
    private async Task<IReadOnlyList<(string UserId, ulong Revision)>> OlderAsync(
        IReadOnlyList<(string UserId, ulong Revision)> states, CommandFlags where, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        var reads = states.Select(state => database.StringGetRangeAsync(
            RedisKeys.State(state.UserId), 0, UserStateMapper.RevisionBytes - 1, where)).ToList();
        var revisions = await Task.WhenAll(reads).WaitAsync(cancellationToken).ConfigureAwait(false);
        return [.. states.Where((state, i) => RevisionOf(revisions[i]) < state.Revision)];
    }

    private static ulong RevisionOf(byte[]? start) =>
        start is { Length: UserStateMapper.RevisionBytes } ? BinaryPrimitives.ReadUInt64LittleEndian(start.AsSpan(1)) : 0;
}
